-- Of two rows of one number everybody takes the same.
SELECT {{columns_of_logs}}
FROM logs
ORDER BY setting, log, began_at, found
LIMIT 1 BY setting, log
