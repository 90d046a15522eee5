-- Lines of an invoice's code that stand elsewhere than the invoice: under another
-- month, account or resource, or of another run.
SELECT {{columns_of_invoice_lines}}
FROM invoice_lines FINAL
WHERE invoice_code = {code:String}
    AND (month, account_id, resource_id, run) != ({month:String}, {account:String}, {resource:String}, {run:Int64})
ORDER BY run, month, account_id, resource_id, line_number, period_start, position, item, coupon_code
LIMIT 100
