-- Copies of lifecycle events of one UTC month.
SELECT
    toLowCardinality(account_id) AS account, toLowCardinality(resource_id) AS resource, time, sequence, identity,
    toLowCardinality(source) AS origin, id, type, toLowCardinality(data) AS said, log, topic, partition, offset, kafka_ms
FROM events
WHERE is_usage = false AND {{of_month}}
