-- The lines of one invoice in the order of the report.
SELECT {{columns_of_invoice_rows}}
FROM invoice_rows
WHERE month = {month:String} AND invoice_code = {code:String}
ORDER BY period_start, position, item, coupon_code
