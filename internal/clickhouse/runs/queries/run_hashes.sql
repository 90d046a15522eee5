-- The hashes of the invoices that a run issued, those that have a header alone.
-- What a repeated run wrote twice lies side by side, as everything with one code
-- does. Looking the codes up in the key takes longer than reading all rows, and
-- reading by month, as the key would have it, sorts in one thread.
SELECT month, code, hash
FROM invoice_hashes
WHERE run = {run:Int64} AND code IN (SELECT code FROM invoices WHERE run = {run:Int64})
ORDER BY month, code
SETTINGS use_index_for_in_with_subqueries = 0, optimize_read_in_order = 0
