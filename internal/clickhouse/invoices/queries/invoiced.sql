-- What earlier runs invoiced for the resources that a run marked as touched, or
-- for all.
SELECT {{columns_of_invoice_lines}}
FROM invoice_rows
WHERE (NOT {touched:Bool} OR (account_id, resource_id) IN (SELECT account_id, resource_id FROM touched_resources WHERE run = {run:Int64}))
    AND run < {run:Int64}
    AND ({all_accounts:Bool} OR account_id IN {accounts:Array(String)})
ORDER BY account_id, resource_id, run, month, line_number, period_start, position, item, coupon_code
