-- The runs whose anomalies are told (0021): of several rows of one the one that leaves out
-- fewest accounts.
SELECT run, since, left_out
FROM told_runs
ORDER BY run, since, length(left_out)
LIMIT 1 BY run, since
