-- The states at the edge of a month. Month is fixed and stands at the beginning of
-- the order as it does in the table's key, so that the server reads in order and
-- sends at once. Of one resource the row of the highest run counts.
SELECT account_id, resource_id, at, run, false AS dead, state, coupon_used, coupon_used_before, true AS wanted
FROM edges
WHERE at = {month:String} AND run < {run:Int64}
    AND {{in_scope}}
ORDER BY at, account_id, resource_id, run
