-- The states at the edge of a month, and those of dead resources that have an
-- event in the scope. Of one resource the first row counts: the highest month,
-- then the highest run; the reader leaves the others out. So a tombstone that a
-- later run wrote for the same edge hides the living state, and a living state
-- hides every older tombstone.
SELECT account_id, resource_id, at, run, deleted, state, coupon_used, wanted
FROM
(
    SELECT account_id, resource_id, at, run, false AS deleted, state, coupon_used, true AS wanted
    FROM edges
    WHERE at = {month:String} AND run < {run:Int64}
    UNION ALL
    SELECT
        account_id, resource_id, at, run, true AS deleted, state, coupon_used,
        (account_id, resource_id) IN (
            SELECT account_id, resource_id
            FROM events
            WHERE time >= {from:DateTime64(3, 'UTC')} AND time < {to:DateTime64(3, 'UTC')}
                AND offset < transform(
                    toInt64(indexOf({topics:Array(String)}, topic)) * 4294967296 + partition,
                    {keys:Array(Int64)}, {ends:Array(Int64)}, toInt64(0))
        ) AS wanted
    FROM tombstones
    WHERE at <= {month:String} AND run < {run:Int64}
        AND (
            wanted
            OR at = {month:String}
                AND (account_id, resource_id) IN (
                    SELECT account_id, resource_id FROM edges WHERE at = {month:String} AND run < {run:Int64})
        )
)
WHERE ({all_accounts:Bool} OR account_id IN {accounts:Array(String)})
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
