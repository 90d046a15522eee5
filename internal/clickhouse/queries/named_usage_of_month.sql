-- usage_of_month.sql with source and id.
SELECT
    toLowCardinality(account_id) AS account, toLowCardinality(resource_id) AS resource, time, sequence, identity, toLowCardinality(source) AS origin, id, item, value, topic, partition, offset, kafka_ms
FROM events
WHERE toYYYYMM(time) = {month:UInt32} AND is_usage = true
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
