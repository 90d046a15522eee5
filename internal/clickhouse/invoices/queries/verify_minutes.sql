-- The item-minutes of a month by account as of a run: the view conservation, but
-- for what later runs wrote.
SELECT account_id, sum(lived), sum(on_lines), sum(excluded)
FROM
(
    SELECT account_id, resource_id, run, lived, on_lines, excluded
    FROM item_minutes FINAL
    WHERE month = {month:String} AND run <= {run:Int64}
    ORDER BY account_id, resource_id, run DESC
    LIMIT 1 BY account_id, resource_id
) AS m
LEFT JOIN
(
    SELECT account_id, resource_id, max(run) AS newest
    FROM touched_resources FINAL
    WHERE run <= {run:Int64}
    GROUP BY account_id, resource_id
) AS t ON m.account_id = t.account_id AND m.resource_id = t.resource_id
WHERE m.run >= t.newest
GROUP BY account_id
ORDER BY account_id
