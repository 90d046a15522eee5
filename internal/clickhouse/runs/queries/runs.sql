-- The runs of a kind, by the projection that has a kind's rows side by side (0014). Of
-- two rows of one number everybody takes the same.
SELECT {{columns_of_runs}}
FROM runs
WHERE kind = {kind:String}
ORDER BY number, created_at, cutoff, cutoff_logs, settle_all
LIMIT 1 BY number
