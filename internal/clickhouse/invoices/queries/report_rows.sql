-- The usage report of a month, in the order of contract 6; of one place the
-- invoice comes before its adjustments.
SELECT
    invoice_code, account_id, resource_id, resource_name, product, service, month, period_start, period_end, position,
    item, unit, unit_price, item_quantity, meter, per, discount_percent, tax_percent, free_quantity,
    minutes, quantity, coupon_code, before_tax, tax_amount, coupon_value, total_amount,
    run, kind, created_at, status
FROM invoice_rows
WHERE month = {month:String} AND ({all_accounts:Bool} OR account_id = {account:String})
ORDER BY account_id, resource_id, period_start, position, run, kind, invoice_code, item, coupon_code
