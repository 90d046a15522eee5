-- Of two rows of one number everybody takes the same.
SELECT number, month, created_at, first_month, currency, zone, cutoff.topic, cutoff.partition, cutoff.end
FROM runs
WHERE {number:Int64} = 0 OR number = {number:Int64}
ORDER BY number, created_at, cutoff
LIMIT 1 BY number
