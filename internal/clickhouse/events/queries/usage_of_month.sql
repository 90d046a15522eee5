-- Copies of usage events of one UTC month, without their names: most are only added
-- up. With names they are those of named_usage_of_month.sql.
SELECT
    toLowCardinality(account_id) AS account, toLowCardinality(resource_id) AS resource, time, sequence, identity,
    item, value, log, topic, partition, offset, kafka_ms
FROM events
WHERE is_usage = true AND {{of_month}}
