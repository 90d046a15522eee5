-- The states of a resource that a run did not store at the beginning of the month.
SELECT account_id, resource_id, run, text
FROM
(
    SELECT account_id, resource_id, run, {{row_of_edges}} AS text
    FROM edges
    WHERE account_id = {account:String} AND resource_id = {resource:String} AND (at, run) != ({month:String}, {run:Int64})
    UNION ALL
    SELECT account_id, resource_id, run, {{row_of_tombstones}} AS text
    FROM tombstones
    WHERE account_id = {account:String} AND resource_id = {resource:String} AND (at, run) != ({month:String}, {run:Int64})
)
ORDER BY text
LIMIT 100
