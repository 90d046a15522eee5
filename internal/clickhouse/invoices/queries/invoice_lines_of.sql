-- The lines of one invoice in its order.
SELECT {{columns_of_invoice_rows}}
FROM invoice_rows
WHERE month = {month:String} AND invoice_code = {code:String}
ORDER BY line_number, period_start, position, item, coupon_code
