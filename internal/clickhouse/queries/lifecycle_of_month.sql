-- Copies of lifecycle events of one UTC month in the order of the fold, which is
-- the order they lie in: month and kind are fixed, and stand at the beginning of
-- the order as they do in the table's key, so that the server reads in order and
-- sends at once. FINAL is not needed: the fold sees copies that a redelivery
-- stored twice side by side and makes them one. What lies behind the cutoff is
-- left out by the reader, which asks for less than the server does.
--
-- The parts, and the server that has them, are those of a lane (lanes.go).
--
-- touched: 0 all, 1 only the touched resources and their accounts, 2 all but
-- the touched ones.
SELECT
    toLowCardinality(account_id) AS account, toLowCardinality(resource_id) AS resource, time, sequence, identity, toLowCardinality(source) AS origin, id, type, toLowCardinality(data) AS said, topic, partition, offset, kafka_ms
FROM events
WHERE toYYYYMM(time) = {month:UInt32} AND is_usage = false
    AND ({all_parts:Bool} OR _part IN {parts:Array(String)})
    AND throwIf({server:String} NOT IN ('', toString(serverUUID())), 'another server') = 0
    AND time >= {from:DateTime64(3, 'UTC')} AND time < {to:DateTime64(3, 'UTC')}
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
ORDER BY toYYYYMM(time), is_usage, account_id, resource_id, time, sequence, source, id
