-- Copies of events of any time in the order of the fold, sorted by the server; see
-- lifecycle_of_month.sql for those of one month.
SELECT
    toLowCardinality(account_id) AS account, toLowCardinality(resource_id) AS resource, time, sequence, identity, toLowCardinality(source) AS origin, id, type, item, value, toLowCardinality(data) AS said, topic, partition, offset, kafka_ms
FROM events
WHERE time >= {from:DateTime64(3, 'UTC')} AND time < {to:DateTime64(3, 'UTC')}
    AND is_usage = {usage:Bool}
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
ORDER BY account_id, resource_id, time, sequence, source, id, topic, partition, offset
