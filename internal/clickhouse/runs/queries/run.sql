-- The run of a number. Of two rows everybody takes the same; of two kinds the seal, of
-- which runs.sql does not see whether there is another.
SELECT {{columns_of_runs}}
FROM runs
WHERE number = {number:Int64}
ORDER BY kind != 'seal', created_at, cutoff, cutoff_logs, settle_all
LIMIT 1
