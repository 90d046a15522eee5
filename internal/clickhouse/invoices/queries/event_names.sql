-- Who usage events are, by where they lie. Account, resource and month lead to the granules
-- that have them; a message that is stored twice is there twice.
SELECT log, topic, partition, offset, source, id
FROM events
WHERE is_usage = true
    AND time >= {from:DateTime64(3, 'UTC')} AND time <= {to:DateTime64(3, 'UTC')}
    AND (account_id, resource_id) IN (SELECT arrayJoin(arrayZip({accounts:Array(String)}, {resources:Array(String)})))
    AND (toUnixTimestamp64Milli(time), topic, partition, offset, log) IN (
        SELECT arrayJoin(arrayZip({times:Array(Int64)}, {topics:Array(String)}, {partitions:Array(Int64)}, {offsets:Array(Int64)}, {logs:Array(Int64)})))
