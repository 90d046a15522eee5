-- Logs: one life of a topic on one cluster each. A topic that is made again, or lies
-- on another cluster, has the same offsets with other messages; so a message's place
-- is (log, topic, partition, offset).
--
-- In every column log, 0 is the first log of a topic, which people call 1: what was
-- stored before there were logs reads 0, and a message of it that comes again has the
-- same key. The second log is 2.
--
-- A column can be appended to a key only in the statement that adds it, and without a
-- default. Nothing stored is written anew by any of these.
ALTER TABLE events{{.OnCluster}}
    ADD COLUMN IF NOT EXISTS log Int32 COMMENT 'of its topic: 0 for the first, 2 for the second' AFTER content,
    MODIFY ORDER BY (toYYYYMM(time), is_usage, account_id, resource_id, time, sequence, source, id, topic, partition, offset, log);
ALTER TABLE dead_letters{{.OnCluster}}
    ADD COLUMN IF NOT EXISTS log Int32 COMMENT 'as in events' FIRST,
    MODIFY ORDER BY (topic, partition, offset, log);
ALTER TABLE dead_letter_replays{{.OnCluster}}
    ADD COLUMN IF NOT EXISTS log Int32 COMMENT 'of the letter' FIRST,
    ADD COLUMN IF NOT EXISTS new_log Int32 COMMENT 'of the new message' AFTER offset,
    MODIFY ORDER BY (topic, partition, offset, new_partition, new_offset, log, new_log);

-- A run's cutoff names every log that there was, those that have ended with their
-- ends. The type of a column of the key cannot change, so the logs stand beside it.
ALTER TABLE runs{{.OnCluster}}
    ADD COLUMN IF NOT EXISTS cutoff_logs Array(Int32) COMMENT 'one for each element of cutoff; none where all are first logs';
ALTER TABLE runs{{.OnCluster}} DROP PROJECTION IF EXISTS by_kind;
ALTER TABLE runs{{.OnCluster}} ADD PROJECTION IF NOT EXISTS by_kind
    (SELECT * ORDER BY kind, number)
    WITH SETTINGS (index_granularity = 512);
ALTER TABLE runs{{.OnCluster}} MATERIALIZE PROJECTION IF EXISTS by_kind;

-- Where events that explain something lie.
ALTER TABLE invoices{{.OnCluster}}
    ADD COLUMN IF NOT EXISTS late_logs Array(Int32) COMMENT 'none where all are first logs';
ALTER TABLE periods{{.OnCluster}}
    ADD COLUMN IF NOT EXISTS opened_log Int32 AFTER opened_time,
    ADD COLUMN IF NOT EXISTS closed_log Int32 AFTER closed_time;

-- The logs that there were and are: a row when one begins, which is when it is first
-- read, or when an operator says that it is another one. The newest of a setting is the
-- one that is read; the one before it ended where the row says.
-- Sort key: setting and log are the log's name. Of two that begin one at once the first
-- insert has the number, as with runs.
CREATE TABLE IF NOT EXISTS logs{{.OnCluster}}
(
    setting       LowCardinality(String) COMMENT 'lifecycle, usage or dead_letter',
    log           Int32,
    topic         String,
    topic_id      String COMMENT 'empty where the broker tells none',
    cluster_id    String COMMENT 'likewise',
    begins        Array(Int64) COMMENT 'the first offset of each partition when it was first seen',
    before_topic  String COMMENT 'of the log before, empty for the first',
    before_log    Int32,
    before_ends   Array(Int64) COMMENT 'where each of its partitions was stored to',
    before_seen   Array(Int64) COMMENT 'where each was last seen to end',
    began_at      DateTime64(3, 'UTC'),
    found         String COMMENT 'what was found, in a sentence',
    reason        String COMMENT 'what the operator says; empty for the first'
)
ENGINE = {{.Replacing}}
ORDER BY (setting, log, began_at)
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1;

-- How far each partition is stored: a note after the rows of each batch. What is stored
-- is the unbroken chain of notes from the log's begin; a note with a reason is a gap
-- that an operator has accepted: messages that were deleted before they were read.
-- Sort key: the partition, then from, by which the chain is followed; the rest keeps
-- two notes apart. A note says what is true whoever writes it, and twice.
CREATE TABLE IF NOT EXISTS log_notes{{.OnCluster}}
(
    topic      LowCardinality(String),
    log        Int32,
    partition  Int32,
    from       Int64 COMMENT 'the offset it begins with',
    to         Int64 COMMENT 'the offset after it',
    seen       Int64 COMMENT 'the last stable offset then',
    reason     String COMMENT 'of a gap, else empty',
    noted_at   DateTime64(3, 'UTC')
)
ENGINE = {{.Replacing}}
ORDER BY (topic, log, partition, from, to, reason)
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1;

-- Marks from which chains are followed on, so that it costs the same after years: all
-- from the log's begin up to there was stored when it was written.
CREATE TABLE IF NOT EXISTS log_marks{{.OnCluster}}
(
    topic     LowCardinality(String),
    log       Int32,
    partition Int32,
    reached   Int64
)
ENGINE = {{.Replacing}}
ORDER BY (topic, log, partition, reached)
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1;

-- Who this installation is: drawn once, when it was made.
CREATE TABLE IF NOT EXISTS installation{{.OnCluster}}
(
    id       String,
    drawn_at DateTime64(3, 'UTC')
)
ENGINE = {{.Replacing}}
ORDER BY (drawn_at, id)
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1;

-- As in 0014, with the log.
CREATE OR REPLACE VIEW event_copies{{.OnCluster}} AS
SELECT
    e.*,
    e.kafka_time AS kafka_time,
    arrayFirst(r -> e.offset < r.1, s.seals).2 AS first_run,
    if(first_run = 0, 9223372036854775807, first_run) AS sealed_by
FROM events AS e FINAL
LEFT JOIN
(
    SELECT log, c.topic AS topic, c.partition AS partition, arraySort(r -> r.2, groupArray((c.end, number))) AS seals
    FROM
    (
        SELECT number, cutoff, arrayResize(cutoff_logs, length(cutoff)) AS logs
        FROM runs
        WHERE kind = 'seal'
        ORDER BY number, created_at, cutoff, cutoff_logs
        LIMIT 1 BY number
    )
    ARRAY JOIN cutoff AS c, logs AS log
    GROUP BY log, topic, partition
) AS s ON e.log = s.log AND e.topic = s.topic AND e.partition = s.partition;

-- As in 0007, with the log.
CREATE OR REPLACE VIEW repeated_events{{.OnCluster}} AS
SELECT
    c.account_id AS account_id, c.resource_id AS resource_id, c.time AS time, c.source AS source, c.id AS id,
    c.type AS type, c.log AS log, c.topic AS topic, c.partition AS partition, c.offset AS offset, c.kafka_ms AS kafka_ms,
    c.kafka_time AS kafka_time,
    c.raw AS raw,
    if(c.content = counting.content, 'duplicate', 'conflict') AS verdict,
    counting.position.1 AS counting_log,
    counting.position.2 AS counting_topic,
    counting.position.3 AS counting_partition,
    counting.position.4 AS counting_offset
FROM event_copies AS c
INNER JOIN
(
    SELECT
        identity,
        argMin((log, topic, partition, offset), (sealed_by, kafka_ms, log, topic, partition, offset)) AS position,
        argMin(content, (sealed_by, kafka_ms, log, topic, partition, offset)) AS content
    FROM event_copies
    WHERE identity IN (SELECT identity FROM events FINAL GROUP BY identity HAVING count() > 1)
    GROUP BY identity
) AS counting ON c.identity = counting.identity
WHERE (c.log, c.topic, c.partition, c.offset) != counting.position;

-- As in 0008, with the log.
CREATE OR REPLACE VIEW dead_letter_rows{{.OnCluster}} AS
SELECT
    d.log AS log, d.topic AS topic, d.partition AS partition, d.offset AS offset, d.kafka_time AS kafka_time,
    multiIf(
        d.header_values[indexOf(d.header_keys, 'ce_source')] != '', d.header_values[indexOf(d.header_keys, 'ce_source')],
        JSONExtractString(d.value, 'source') != '', JSONExtractString(d.value, 'source'),
        simpleJSONExtractString(d.value, 'source') != '', simpleJSONExtractString(d.value, 'source'),
        d.key) AS producer,
    d.key AS key, d.value AS value, d.header_keys AS header_keys, d.header_values AS header_values,
    d.reason AS reason, d.detail AS detail,
    r.replays AS replays, r.last_replay AS replayed_at, r.went.1 AS new_log, r.went.2 AS new_partition, r.went.3 AS new_offset, r.fixed AS fixed,
    o.came AS is_replay, o.of.1 AS replay_of_log, o.of.2 AS replay_of_partition, o.of.3 AS replay_of_offset
FROM dead_letters AS d FINAL
LEFT JOIN
(
    SELECT
        log, topic, partition, offset, toInt64(count()) AS replays, max(replayed_at) AS last_replay,
        argMax((new_log, new_partition, new_offset), (replayed_at, new_log, new_partition, new_offset)) AS went,
        argMax(fixed, (replayed_at, new_log, new_partition, new_offset)) AS fixed
    FROM dead_letter_replays FINAL
    GROUP BY log, topic, partition, offset
) AS r ON d.log = r.log AND d.topic = r.topic AND d.partition = r.partition AND d.offset = r.offset
LEFT JOIN
(
    SELECT topic, new_log, new_partition, new_offset, true AS came, min((log, partition, offset)) AS of
    FROM dead_letter_replays FINAL
    GROUP BY topic, new_log, new_partition, new_offset
) AS o ON d.log = o.new_log AND d.topic = o.topic AND d.partition = o.new_partition AND d.offset = o.new_offset;
