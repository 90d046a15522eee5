-- What the run wrote of resources without a header of it. Of a resource without any
-- invoice (a prepaid one) it goes too: who forgets writes it again.
DELETE FROM item_minutes
WHERE run = {run:Int64}
    AND ({all_accounts:Bool} OR account_id IN {accounts:Array(String)})
    AND (account_id, resource_id) NOT IN (SELECT account_id, resource_id FROM invoices WHERE run = {run:Int64})
