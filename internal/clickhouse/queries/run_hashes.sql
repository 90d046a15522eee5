-- The hashes of the invoices that a run issued, those that have a header alone.
SELECT month, code, hash
FROM invoice_hashes FINAL
WHERE run = {run:Int64} AND (month, code) IN (SELECT month, code FROM invoices WHERE run = {run:Int64})
ORDER BY month, code
