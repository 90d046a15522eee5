-- Some anomalies of a resource that stand where none of the month does: those that earlier
-- runs told of it stood before.
SELECT account_id, resource_id, run, {{row_of_run_anomalies}} AS text
FROM run_anomalies
WHERE account_id = {account:String} AND resource_id = {resource:String} AND (month != {month:String} OR run > {run:Int64})
ORDER BY text
LIMIT 100
