-- Of each run the one with the fewest parked accounts, then the newest.
SELECT {{columns_of_seals}}
FROM seals FINAL
ORDER BY run, length(parked_accounts), sealed_at DESC
LIMIT 1 BY run
