-- The states at the edge of a month. Month is fixed and stands at the beginning of
-- the order as it does in the table's key, so that the server reads in order and
-- sends at once. Of one resource the row of the highest run counts.
SELECT account_id, resource_id, at, run, false AS dead, state, coupon_used, coupon_used_before, true AS wanted
FROM edges
WHERE at = {month:String} AND run < {run:Int64}
    AND ({all_accounts:Bool} OR account_id IN {accounts:Array(String)})
    AND account_id NOT IN {except:Array(String)}
    AND (
        {touched:UInt8} = 0
        OR {touched:UInt8} = 1 AND (
            (account_id, resource_id) IN (SELECT account_id, resource_id FROM touched_resources WHERE run = {run:Int64})
            OR resource_id = '' AND account_id IN (SELECT account_id FROM touched_resources WHERE run = {run:Int64})
        )
        OR {touched:UInt8} = 2
            AND (account_id, resource_id) NOT IN (
                SELECT account_id, resource_id FROM touched_resources WHERE run = {run:Int64})
    )
ORDER BY at, account_id, resource_id, run
