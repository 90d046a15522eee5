-- Headers of a code that stand elsewhere than the invoice.
SELECT {{columns_of_invoices}}
FROM invoices FINAL
WHERE code = {code:String}
    AND (month, account_id, resource_id, run) != ({month:String}, {account:String}, {resource:String}, {run:Int64})
ORDER BY run, month, account_id, resource_id
LIMIT 100
