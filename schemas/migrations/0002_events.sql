-- Every accepted event, one row for each copy that lies in Kafka. Nothing here
-- is ever updated or deleted; which copy of an identity counts is decided when
-- reading, over all history (contract 2), never by a merge.
--
-- Sort key, column by column:
--   toYYYYMM(time)   only keeps the events of a month together, so that sealing
--                    a month does not touch the history: a condition on time
--                    prunes by it. It is the UTC month and no billing edge; those
--                    are instants computed in Go. It is a prefix of the key and
--                    not a partition, because one batch may hold events of any
--                    month and each partition would be a part of its own.
--   is_usage         keeps the few lifecycle events apart from the many usage
--                    events of the same month: each is read without the other.
--   account_id, resource_id
--                    the fold reads resource by resource, an explanation one.
--   time, sequence, source, id
--                    the order of a resource's events (contract 2).
--   topic, partition, offset
--                    tell the copies of an event apart. All columns before
--                    follow from the message, so a message that is stored twice
--                    because the log redelivered it has the same key twice, and
--                    FINAL makes it one.
-- The primary key (what is held in memory of each granule) stops at the
-- resource: what follows only sorts.
CREATE TABLE IF NOT EXISTS events{{.OnCluster}}
(
    account_id    String,
    resource_id   String COMMENT 'empty for account.* events',
    time          DateTime64(3, 'UTC'),
    sequence      Int64 COMMENT '0 when left out',
    source        String,
    id            String,
    is_usage      Bool,
    type          LowCardinality(String),
    item          LowCardinality(String) COMMENT 'of usage.recorded, else empty',
    value         Decimal(38, 9) COMMENT 'of usage.recorded, else 0',
    data          String COMMENT 'canonical JSON of what a lifecycle event says, empty for usage',
    identity      FixedString(16) COMMENT 'digest of (source, id)',
    content       FixedString(16) COMMENT 'digest of all that makes a copy a duplicate and no conflict',
    topic         LowCardinality(String),
    partition     Int32,
    offset        Int64,
    kafka_ms      Int64 COMMENT 'the message''s Kafka timestamp: milliseconds since 1970; any Int64, -1 for none',
    kafka_time    DateTime64(3, 'UTC') ALIAS fromUnixTimestamp64Milli(greatest(least(kafka_ms, 9214646399999), 0), 'UTC')
        COMMENT 'kafka_ms for people: drawn in to 1970 and 2261, beyond which clients wrap around; nothing is ordered by it',
    raw           String COMMENT 'the message value as it stood' CODEC(ZSTD(1)),
    header_keys   Array(String) COMMENT 'of the message, in order',
    header_values Array(String) COMMENT 'one for each key',
    ingested_at   DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC')
)
ENGINE = {{.Replacing}}
PRIMARY KEY (toYYYYMM(time), is_usage, account_id, resource_id)
ORDER BY (toYYYYMM(time), is_usage, account_id, resource_id, time, sequence, source, id, topic, partition, offset)
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1;

-- What is needed to ask whether any identity has copies that differ, over all
-- history, in little more time than reading it takes: 16 bytes an event.
--
-- Rows are written before the events they stand for, so that no event is ever
-- without; a crash in between leaves more than events has. A reader takes what
-- it finds here for a suspicion and looks the events themselves up.
--
-- Sort key: identity, so that equal ones lie together and a range of them can be
-- looked at by itself, content behind it: copies that are equal become one.
CREATE TABLE IF NOT EXISTS identities{{.OnCluster}}
(
    identity UInt64 COMMENT 'the first 8 bytes of events.identity, the lowest first',
    content  UInt64 COMMENT 'the first 8 bytes of events.content, the lowest first'
)
ENGINE = {{.Replacing}}
ORDER BY (identity, content)
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1;
