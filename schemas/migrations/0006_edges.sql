-- What a later month needs to know of the earlier ones, so that its cost grows
-- with its own events and the resources alive, not with the history.
--
-- The state of everything alive at the instant when the month "at" begins, the
-- account itself with an empty resource_id. Every seal writes one row for each.
-- Sort key: at first, because one edge is read as a whole and in the order of
-- account and resource; run last: a later run may write an edge again, and the
-- highest run that the reader may see wins.
CREATE TABLE IF NOT EXISTS edges{{.OnCluster}}
(
    at          LowCardinality(String) COMMENT 'the month that begins, as 2026-11',
    account_id  String,
    resource_id String,
    run         Int64,
    state       String COMMENT 'the fold''s own encoding' CODEC(ZSTD(1)),
    coupon_used Decimal(76, {{.Digits}}) COMMENT 'of the state''s coupon balance by the lines before'
)
ENGINE = {{.Replacing}}
PRIMARY KEY (at, account_id, resource_id)
ORDER BY (at, account_id, resource_id, run)
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1;

-- The states of resources that are no longer alive, written once, in the month
-- they died, and looked up only when an event names them.
-- Sort key: the resource first, because that is how they are looked up; then at
-- and run, of which the highest hold.
CREATE TABLE IF NOT EXISTS tombstones{{.OnCluster}}
(
    account_id  String,
    resource_id String,
    at          LowCardinality(String),
    run         Int64,
    state       String CODEC(ZSTD(1)),
    coupon_used Decimal(76, {{.Digits}})
)
ENGINE = {{.Replacing}}
PRIMARY KEY (account_id, resource_id)
ORDER BY (account_id, resource_id, at, run)
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1;
