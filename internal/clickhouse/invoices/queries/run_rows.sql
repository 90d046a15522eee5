-- What one run issued, in the order issued: first the adjustments, oldest month
-- first, then the new month, each in the order of the report.
SELECT
    invoice_code, account_id, resource_id, resource_name, product, service, month, period_start, period_end, position,
    item, unit, unit_price, item_quantity, meter, per, discount_percent, tax_percent, free_quantity,
    minutes, quantity, coupon_code, before_tax, tax_amount, coupon_value, total_amount,
    run, kind, created_at, status
FROM invoice_rows
WHERE run = {run:Int64}
ORDER BY kind != 'adjustment', month, account_id, resource_id, period_start, position, kind, invoice_code, item, coupon_code
