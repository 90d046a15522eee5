-- The runs that were sealed, whatever their kind says now. Of two rows of one number
-- everybody takes the same.
SELECT {{columns_of_runs}}
FROM runs
WHERE number IN (SELECT run FROM seals)
ORDER BY number, kind != 'seal', created_at, cutoff, cutoff_logs, settle_all
LIMIT 1 BY number
