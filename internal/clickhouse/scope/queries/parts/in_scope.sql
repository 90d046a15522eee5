-- The accounts and resources of a scope (scope.Bind). Touched: 0 all, 1 only the
-- touched resources and their accounts, 2 all but the touched ones.
({all_accounts:Bool} OR account_id IN {accounts:Array(String)})
    AND account_id NOT IN {except:Array(String)}
    AND (
        {touched:UInt8} = 0
        OR {touched:UInt8} = 1 AND (
            (account_id, resource_id) IN ({{touched_by}})
            OR resource_id = '' AND account_id IN (SELECT account_id FROM ({{touched_by}}))
        )
        OR {touched:UInt8} = 2 AND (account_id, resource_id) NOT IN ({{touched_by}})
    )
