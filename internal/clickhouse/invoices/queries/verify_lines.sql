-- Every line that is stored, also one that no header names.
SELECT {{columns_of_invoice_lines}}
FROM invoice_lines FINAL
WHERE month = {month:String} AND run <= {run:Int64}
ORDER BY account_id, resource_id, run, invoice_code, line_number, period_start, position, item, coupon_code
