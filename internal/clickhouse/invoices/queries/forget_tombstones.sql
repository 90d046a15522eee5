-- Rows that a broken attempt of the run left, by their keys (written.sql). A resource of
-- which the run has an invoice keeps all that it has.
DELETE FROM tombstones
WHERE run = {run:Int64}
    AND account_id IN {accounts:Array(String)}
    AND (account_id, resource_id, {{place_in_tombstones}}) IN (
        SELECT arrayJoin(arrayZip({accounts:Array(String)}, {resources:Array(String)}, {places:Array(String)})))
    AND (account_id, resource_id) NOT IN (SELECT account_id, resource_id FROM invoices WHERE run = {run:Int64})
