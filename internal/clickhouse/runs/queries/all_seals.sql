-- Every seal of every run.
SELECT {{columns_of_seals}}
FROM seals FINAL
ORDER BY run, sealed_at
