-- What has been applied to this database. It is created before anything else
-- and read back before anything is applied, so a crash in between leaves
-- nothing that a second run does not repair: every statement says IF NOT EXISTS.
--
-- digits is the number of decimals of the currency that the money columns were
-- made with. They cannot change under stored amounts, so a binary that is set
-- to others is refused.
--
-- Sort key: number, because the table is read whole and in that order; it also
-- makes a repeated note of the same migration one row.
CREATE TABLE IF NOT EXISTS schema_migrations{{.OnCluster}}
(
    number     UInt32,
    name       String,
    checksum   FixedString(64) COMMENT 'SHA-256 of the file, hexadecimal',
    digits     UInt8,
    applied_at DateTime64(3, 'UTC')
)
ENGINE = {{.Replacing}}
ORDER BY number
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1;
