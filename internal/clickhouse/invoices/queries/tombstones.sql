-- The states of dead resources that have an event in the scope: those are wanted.
-- The others are there to hide what an earlier run took for alive at the same
-- edge. Only events and edges of resources that have a tombstone are looked at.
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
                AND {{before_cutoff}}
        ), 'Bool') AS wanted
    FROM tombstones
    WHERE at <= {month:String} AND run < {run:Int64}
)
WHERE (
        wanted
        OR at = {month:String}
            AND (account_id, resource_id) IN (
                SELECT account_id, resource_id
                FROM edges
                WHERE at = {month:String} AND run < {run:Int64}
                    AND (account_id, resource_id) IN (
                        SELECT account_id, resource_id FROM tombstones WHERE at = {month:String} AND run < {run:Int64}))
    )
    AND {{in_scope}}
ORDER BY account_id, resource_id, at DESC, run DESC
