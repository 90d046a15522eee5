INSERT INTO dead_letters (
    topic, partition, offset, kafka_ms, key, value, header_keys, header_values, reason, detail
) SETTINGS optimize_on_insert = 0, materialize_statistics_on_insert = 0 FORMAT Native
