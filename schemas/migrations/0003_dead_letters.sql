-- Every message that is not an event, its bytes untouched, with why (contract
-- 2). This table is the record; the topic of dead letters is only a copy.
--
-- Sort key: topic, partition, offset is the message's own address: one row for
-- each message, also when the log redelivered it. Nothing else is looked up.
CREATE TABLE IF NOT EXISTS dead_letters{{.OnCluster}}
(
    topic         LowCardinality(String),
    partition     Int32,
    offset        Int64,
    kafka_ms      Int64 COMMENT 'as in events',
    kafka_time    DateTime64(3, 'UTC') ALIAS fromUnixTimestamp64Milli(greatest(least(kafka_ms, 9214646399999), 0), 'UTC')
        COMMENT 'as in events; 1970-01-01 for a message without a timestamp',
    key           String,
    value         String CODEC(ZSTD(1)),
    header_keys   Array(String),
    header_values Array(String),
    reason        LowCardinality(String) COMMENT 'machine-readable, one of a fixed list',
    detail        String COMMENT 'a sentence that names the field and the value',
    ingested_at   DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC')
)
ENGINE = {{.Replacing}}
ORDER BY (topic, partition, offset)
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1;
