-- The anomalies of a month that stood when a run was sealed: of each resource those that one
-- run told of it, which is the last that touched it, or the one that sealed the month, or
-- that told of all before it (the view anomalies). Rows of a later run are none that it told.
WITH
    sealed AS
    (
        SELECT run, parked_accounts FROM seals FINAL WHERE run <= {run:Int64}
        ORDER BY run, length(parked_accounts), sealed_at DESC
        LIMIT 1 BY run
    ),
    touched AS
    (
        SELECT account_id AS account, resource_id AS resource, max(run) AS touched_by
        FROM touched_resources
        WHERE run IN (SELECT run FROM sealed)
            AND (run, account_id) NOT IN (SELECT run, arrayJoin(parked_accounts) FROM sealed)
        GROUP BY account, resource
    ),
    (SELECT max(run) FROM told_runs WHERE since AND run <= {run:Int64}) AS told_since,
    (SELECT min(number) FROM runs WHERE kind = 'seal' AND month >= {month:String}) AS sealing
SELECT account_id, resource_id, run, {{row_of_run_anomalies}} AS text
FROM run_anomalies
LEFT JOIN touched ON run_anomalies.account_id = touched.account AND run_anomalies.resource_id = touched.resource
WHERE month = {month:String} AND run >= greatest(touched_by, sealing, told_since) AND run <= {run:Int64}
ORDER BY account_id, resource_id, run, text
