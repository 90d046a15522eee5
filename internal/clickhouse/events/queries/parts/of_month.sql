-- Of one UTC month in the order of the fold, which is the order they lie in: month
-- and kind are fixed, and stand at the beginning of the order as they do in the
-- table's key, so that the server reads in order and sends at once. FINAL is not
-- needed: the fold sees copies that a redelivery stored twice side by side and makes
-- them one. What lies behind the cutoff is left out by the reader, which asks for
-- less than the server does. The parts, and the server that has them, are those of a
-- lane (lanes.go).
toYYYYMM(time) = {month:UInt32}
    AND ({all_parts:Bool} OR _part IN {parts:Array(String)})
    AND throwIf({server:String} NOT IN ('', toString(serverUUID())), 'another server') = 0
    AND time >= {from:DateTime64(3, 'UTC')} AND time < {to:DateTime64(3, 'UTC')}
    AND {{in_scope}}
ORDER BY toYYYYMM(time), is_usage, account_id, resource_id, time, sequence, source, id
