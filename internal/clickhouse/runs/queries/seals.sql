-- The newest of each run.
SELECT {{columns_of_seals}}
FROM seals FINAL
ORDER BY run, sealed_at DESC
LIMIT 1 BY run
