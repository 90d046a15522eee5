-- Lines of an invoice's code that stand elsewhere than the invoice: under another
-- month, account or resource, or of another run.
SELECT
    invoice_code, account_id, resource_id, resource_name, product, service, month, period_start, period_end, position,
    item, unit, unit_price, item_quantity, meter, per, discount_percent, tax_percent, free_quantity,
    minutes, quantity, coupon_code, before_tax, tax_amount, coupon_value, total_amount,
    run
FROM invoice_lines FINAL
WHERE invoice_code = {code:String}
    AND (month, account_id, resource_id, run) != ({month:String}, {account:String}, {resource:String}, {run:Int64})
ORDER BY run, month, account_id, resource_id, period_start, position, item, coupon_code
LIMIT 100
