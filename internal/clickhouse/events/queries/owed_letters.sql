-- The dead letters whose copies are owed, with every byte.
SELECT log, topic, partition, offset, kafka_ms, key, value, header_keys, header_values, reason, detail
FROM dead_letters FINAL
WHERE (log, topic, partition, offset) IN ({{owed_copies}})
ORDER BY log, topic, partition, offset
