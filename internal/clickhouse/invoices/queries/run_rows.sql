-- What one run issued, in the order issued: first the adjustments, oldest month
-- first, then the new month, each in the order of the report.
SELECT {{columns_of_invoice_rows}}
FROM invoice_rows
WHERE run = {run:Int64}
ORDER BY kind != 'adjustment', month, account_id, resource_id, period_start, position, kind, invoice_code, item, coupon_code
