-- The run of a number. Of two rows everybody takes the same; of two kinds the seal, of
-- which runs.sql does not see whether there is another.
SELECT number, kind, month, created_at, first_month, currency, zone, cutoff.topic, cutoff.partition, cutoff.end
FROM runs
WHERE number = {number:Int64}
ORDER BY kind != 'seal', created_at, cutoff
LIMIT 1
