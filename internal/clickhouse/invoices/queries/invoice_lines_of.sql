-- The lines of one invoice in the order of the report.
SELECT
    invoice_code, account_id, resource_id, resource_name, product, service, month, period_start, period_end, position,
    item, unit, unit_price, item_quantity, meter, per, discount_percent, tax_percent, free_quantity,
    minutes, quantity, coupon_code, before_tax, tax_amount, coupon_value, total_amount,
    run, kind, created_at, status
FROM invoice_rows
WHERE month = {month:String} AND invoice_code = {code:String}
ORDER BY period_start, position, item, coupon_code
