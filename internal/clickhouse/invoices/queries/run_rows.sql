-- What one run issued, in the order issued: first the adjustments, oldest month
-- first, then the new month, each in its own order.
SELECT {{columns_of_invoice_rows}}
FROM invoice_rows
WHERE run = {run:Int64}
ORDER BY kind != 'adjustment', month, account_id, resource_id, period_start, line_number, position, kind, invoice_code, item, coupon_code
