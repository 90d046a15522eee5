-- What runs before the given one invoiced of a resource's month.
SELECT {{columns_of_invoice_rows}}
FROM invoice_rows
WHERE month = {month:String} AND account_id = {account:String} AND resource_id = {resource:String} AND run < {run:Int64}
ORDER BY run, line_number, period_start, position, item, coupon_code
