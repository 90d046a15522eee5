-- Which dead letters were produced again, and where each went: a row a replay,
-- written after the broker had the message. A crash in between replays a letter
-- again at the next try, which is a duplicate and nothing worse.
-- Sort key: the letter's address first, because it is looked up by it; then the
-- new message's, which keeps two replays of one letter apart. A replayed message
-- stays in its topic.
CREATE TABLE IF NOT EXISTS dead_letter_replays{{.OnCluster}}
(
    topic         LowCardinality(String),
    partition     Int32,
    offset        Int64,
    new_partition Int32,
    new_offset    Int64,
    fixed         Bool COMMENT 'with another value than the letter has',
    replayed_at   DateTime64(3, 'UTC')
)
ENGINE = {{.Replacing}}
ORDER BY (topic, partition, offset, new_partition, new_offset)
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1;

-- The dead letters with who sent them, as far as that can be read, and what was
-- done about them. producer is the event's source (of the header in binary
-- mode, else of the JSON, also where that is cut off or has more behind it), or
-- the message's key where there is none. Of a letter that is itself a replay
-- that was rejected again, replay_of_* say whose.
CREATE VIEW IF NOT EXISTS dead_letter_rows{{.OnCluster}} AS
SELECT
    d.topic AS topic, d.partition AS partition, d.offset AS offset, d.kafka_time AS kafka_time,
    multiIf(
        d.header_values[indexOf(d.header_keys, 'ce_source')] != '', d.header_values[indexOf(d.header_keys, 'ce_source')],
        JSONExtractString(d.value, 'source') != '', JSONExtractString(d.value, 'source'),
        simpleJSONExtractString(d.value, 'source') != '', simpleJSONExtractString(d.value, 'source'),
        d.key) AS producer,
    d.key AS key, d.value AS value, d.header_keys AS header_keys, d.header_values AS header_values,
    d.reason AS reason, d.detail AS detail,
    r.replays AS replays, r.last_replay AS replayed_at, r.went.1 AS new_partition, r.went.2 AS new_offset, r.fixed AS fixed,
    o.came AS is_replay, o.of.1 AS replay_of_partition, o.of.2 AS replay_of_offset
FROM dead_letters AS d FINAL
LEFT JOIN
(
    SELECT
        topic, partition, offset, toInt64(count()) AS replays, max(replayed_at) AS last_replay,
        argMax((new_partition, new_offset), (replayed_at, new_partition, new_offset)) AS went,
        argMax(fixed, (replayed_at, new_partition, new_offset)) AS fixed
    FROM dead_letter_replays FINAL
    GROUP BY topic, partition, offset
) AS r ON d.topic = r.topic AND d.partition = r.partition AND d.offset = r.offset
LEFT JOIN
(
    SELECT topic, new_partition, new_offset, true AS came, min((partition, offset)) AS of
    FROM dead_letter_replays FINAL
    GROUP BY topic, new_partition, new_offset
) AS o ON d.topic = o.topic AND d.partition = o.new_partition AND d.offset = o.new_offset;
