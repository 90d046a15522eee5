-- Copies of dead letters that could not be written to their topic, and those of them
-- that were written since: a row when one is owed, another when it was written. Of a
-- copy that the topic took at once there is no row. The table dead_letters is the
-- record: a letter waits for its copy, and nothing waits for either.
--
-- Sort key: the letter's address, then written, so that both rows stay.
CREATE TABLE IF NOT EXISTS dead_letter_copies{{.OnCluster}}
(
    topic     LowCardinality(String),
    partition Int32,
    offset    Int64,
    log       Int32 COMMENT 'as in events',
    written   Bool COMMENT 'false: owed',
    noted_at  DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC')
)
ENGINE = {{.Replacing}}
ORDER BY (topic, partition, offset, log, written)
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1;
