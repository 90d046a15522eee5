-- The item-minutes of the resources of a month as runs up to one stored them.
SELECT account_id, resource_id, run, {{row_of_item_minutes}} AS text
FROM item_minutes
WHERE month = {month:String} AND run <= {run:Int64}
ORDER BY account_id, resource_id, run, text
