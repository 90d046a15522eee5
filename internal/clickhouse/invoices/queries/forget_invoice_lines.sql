-- Rows that a broken attempt of the run left, by their keys (written.sql). An invoice that
-- exists keeps all that it has.
DELETE FROM invoice_lines
WHERE run = {run:Int64}
    AND account_id IN {accounts:Array(String)}
    AND (account_id, resource_id, {{place_in_invoice_lines}}) IN (
        SELECT arrayJoin(arrayZip({accounts:Array(String)}, {resources:Array(String)}, {places:Array(String)})))
    AND invoice_code NOT IN (SELECT code FROM invoices WHERE run = {run:Int64})
