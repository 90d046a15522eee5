-- Copies of events in the order of the fold. FINAL is not needed: the fold sees
-- copies that a redelivery stored twice side by side and makes them one.
--
-- keys holds topic number (its place in topics, from 1) * 2^32 + partition of
-- every partition of the cutoff, ends its end; a partition that is not there
-- ends at 0.
-- touched: 0 all, 1 only the touched resources and their accounts, 2 all but
-- the touched ones.
SELECT
    account_id, resource_id, time, sequence, source, id, type, item, value, data, topic, partition, offset, kafka_ms
FROM events
WHERE time >= {from:DateTime64(3, 'UTC')} AND time < {to:DateTime64(3, 'UTC')}
    AND is_usage = {usage:Bool}
    AND offset < transform(
        toInt64(indexOf({topics:Array(String)}, topic)) * 4294967296 + partition,
        {keys:Array(Int64)}, {ends:Array(Int64)}, toInt64(0))
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
