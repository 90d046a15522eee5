-- The runs of a kind, by the projection that has a kind's rows side by side (0014). Of
-- two rows of one number everybody takes the same.
SELECT number, kind, month, created_at, first_month, currency, zone, cutoff.topic, cutoff.partition, cutoff.end
FROM runs
WHERE kind = {kind:String}
ORDER BY number, created_at, cutoff
LIMIT 1 BY number
