-- usage_of_month.sql with source and id.
SELECT
    toLowCardinality(account_id) AS account, toLowCardinality(resource_id) AS resource, time, sequence, identity,
    toLowCardinality(source) AS origin, id, item, value, log, topic, partition, offset, kafka_ms
FROM events
WHERE is_usage = true AND {{of_month}}
