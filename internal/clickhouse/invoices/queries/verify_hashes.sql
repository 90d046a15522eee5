SELECT {{columns_of_invoice_hashes}}
FROM invoice_hashes FINAL
WHERE month = {month:String} AND run <= {run:Int64}
ORDER BY account_id, resource_id, run, code
