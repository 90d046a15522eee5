-- The usage report of a month, in the order of contract 6; of one place the
-- invoice comes before its adjustments, and what takes a line back before the line anew.
SELECT {{columns_of_invoice_rows}}
FROM invoice_rows
WHERE month = {month:String} AND ({all_accounts:Bool} OR account_id = {account:String})
ORDER BY account_id, resource_id, period_start, position, run, kind, invoice_code, line_number, item, coupon_code
