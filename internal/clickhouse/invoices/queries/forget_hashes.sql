-- Hashes of the run whose header was never stored.
DELETE FROM invoice_hashes
WHERE run = {run:Int64}
    AND ({all_accounts:Bool} OR account_id IN {accounts:Array(String)})
    AND code NOT IN (SELECT code FROM invoices WHERE run = {run:Int64})
