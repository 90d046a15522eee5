-- Of a run and month the row with the most invoices holds.
SELECT run, invoices, hash
FROM month_hashes FINAL
WHERE month = {month:String} AND run <= {run:Int64}
ORDER BY run, invoices DESC
LIMIT 1 BY run
