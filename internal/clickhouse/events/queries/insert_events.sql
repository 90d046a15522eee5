INSERT INTO events (
    account_id, resource_id, time, sequence, source, id, is_usage, type, item, value, data, identity, content,
    topic, partition, offset, kafka_ms, raw, header_keys, header_values
) SETTINGS optimize_on_insert = 0, materialize_statistics_on_insert = 0 FORMAT Native
