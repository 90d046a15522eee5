-- The states of dead resources that have an event in the scope: those are wanted.
-- The others are there to hide what an earlier run took for alive at the same
-- edge. Only events of resources that have a tombstone are looked at.
SELECT account_id, resource_id, at, run, true AS dead, state, coupon_used, coupon_used_before, wanted
FROM
(
    SELECT
        account_id, resource_id, at, run, state, coupon_used, coupon_used_before,
        CAST((account_id, resource_id) IN (
            SELECT account_id, resource_id
            FROM events
            WHERE time >= {from:DateTime64(3, 'UTC')} AND time < {to:DateTime64(3, 'UTC')}
                AND (account_id, resource_id) IN (
                    SELECT account_id, resource_id FROM tombstones WHERE at <= {month:String} AND run < {run:Int64})
                AND offset < transform(
                    toInt64(indexOf({topics:Array(String)}, topic)) * 4294967296 + partition,
                    {keys:Array(Int64)}, {ends:Array(Int64)}, toInt64(0))
        ), 'Bool') AS wanted
    FROM tombstones
    WHERE at <= {month:String} AND run < {run:Int64}
)
WHERE (
        wanted
        OR at = {month:String}
            AND (account_id, resource_id) IN (
                SELECT account_id, resource_id FROM edges WHERE at = {month:String} AND run < {run:Int64})
    )
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
ORDER BY account_id, resource_id, at DESC, run DESC
