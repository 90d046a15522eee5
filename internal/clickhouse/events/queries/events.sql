-- Copies of events of any time in the order of the fold, sorted by the server; see
-- lifecycle_of_month.sql for those of one month.
SELECT
    toLowCardinality(account_id) AS account, toLowCardinality(resource_id) AS resource, time, sequence, identity, toLowCardinality(source) AS origin, id, type, item, value, toLowCardinality(data) AS said, log, topic, partition, offset, kafka_ms
FROM events
WHERE time >= {from:DateTime64(3, 'UTC')} AND time < {to:DateTime64(3, 'UTC')}
    AND is_usage = {usage:Bool}
    AND {{in_scope}}
ORDER BY account_id, resource_id, time, sequence, source, id, topic, partition, offset, log
