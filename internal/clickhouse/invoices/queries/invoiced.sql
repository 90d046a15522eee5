-- What earlier runs invoiced for the resources that a run marked as touched, or
-- for all.
SELECT
    invoice_code, account_id, resource_id, resource_name, product, service, month, period_start, period_end, position,
    item, unit, unit_price, item_quantity, meter, per, discount_percent, tax_percent, free_quantity,
    minutes, quantity, coupon_code, before_tax, tax_amount, coupon_value, total_amount
FROM invoice_rows
WHERE (NOT {touched:Bool} OR (account_id, resource_id) IN (SELECT account_id, resource_id FROM touched_resources WHERE run = {run:Int64}))
    AND run < {run:Int64}
    AND ({all_accounts:Bool} OR account_id IN {accounts:Array(String)})
ORDER BY account_id, resource_id, run, month, period_start, position, item, coupon_code
