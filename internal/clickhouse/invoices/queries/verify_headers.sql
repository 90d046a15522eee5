SELECT {{columns_of_invoices}}
FROM invoices FINAL
WHERE month = {month:String} AND run <= {run:Int64}
ORDER BY account_id, resource_id, run, code
