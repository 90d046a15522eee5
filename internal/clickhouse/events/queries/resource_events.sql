-- The copies of one resource's events, and of its account's own, in the order of
-- the fold: events.sql for one resource.
SELECT
    toLowCardinality(account_id) AS account, toLowCardinality(resource_id) AS resource, time, sequence, identity, toLowCardinality(source) AS origin, id, type, item, value, toLowCardinality(data) AS said, log, topic, partition, offset, kafka_ms
FROM events
WHERE time >= {from:DateTime64(3, 'UTC')} AND time < {to:DateTime64(3, 'UTC')}
    AND is_usage = {usage:Bool}
    AND account_id = {account:String} AND resource_id IN ('', {resource:String})
    AND {{before_cutoff}}
ORDER BY account_id, resource_id, time, sequence, source, id, topic, partition, offset, log
