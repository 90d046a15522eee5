INSERT INTO dead_letters (
    topic, partition, offset, kafka_ms, key, value, header_keys, header_values, reason, detail
) FORMAT Native
