-- What late events touch, written down for a run.
INSERT INTO touched_resources (run, account_id, resource_id)
SELECT {run:Int64}, account_id, resource_id
FROM
(
    {{touched}}
)
