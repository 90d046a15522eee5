-- The item-minutes of a resource that a run did not store of the month.
SELECT account_id, resource_id, run, {{row_of_item_minutes}} AS text
FROM item_minutes
WHERE account_id = {account:String} AND resource_id = {resource:String} AND (month, run) != ({month:String}, {run:Int64})
ORDER BY text
LIMIT 100
