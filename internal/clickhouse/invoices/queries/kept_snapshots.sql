-- What a month begins with, as runs up to one stored it: the states of the living at
-- its beginning, and of all that are dead by then.
SELECT account_id, resource_id, run, text
FROM
(
    SELECT account_id, resource_id, at, run, {{row_of_edges}} AS text
    FROM edges
    WHERE at = {month:String} AND run <= {run:Int64}
    UNION ALL
    SELECT account_id, resource_id, at, run, {{row_of_tombstones}} AS text
    FROM tombstones
    WHERE at <= {month:String} AND run <= {run:Int64}
)
ORDER BY account_id, resource_id, at, run, text
