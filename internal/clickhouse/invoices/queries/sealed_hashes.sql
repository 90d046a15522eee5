-- The hashes of the invoices of a month, run by run, also of those whose header is gone.
SELECT run, code, hash
FROM invoice_hashes FINAL
WHERE month = {month:String} AND run <= {run:Int64}
ORDER BY run, code
