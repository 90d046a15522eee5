-- What proves that a sealed month is as it was sealed. All rows follow from the
-- run's cutoff, so a run that is repeated, killed or doubled writes the same.

-- The SHA-256 of each invoice: its header and its lines in order, every column
-- (invoicer/hash.go). It is written before the header: an invoice that exists
-- has one, and one without a header tells of a header that is gone.
-- Sort key: as the headers have it, read side by side with them.
CREATE TABLE IF NOT EXISTS invoice_hashes{{.OnCluster}}
(
    month       LowCardinality(String),
    account_id  String,
    resource_id String,
    code        String,
    run         Int64,
    hash        FixedString(32)
)
ENGINE = {{.Replacing}}
PRIMARY KEY (month, account_id, resource_id)
ORDER BY (month, account_id, resource_id, code, run)
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1;

-- The SHA-256 over all that one run issued for one month: code and hash of each
-- invoice, sorted by code. It is written before the run's seal; a month that a
-- run seals has one also where it has no invoice. A run that parked accounts
-- writes another when they are done: of a run and month the row with the most
-- invoices holds.
CREATE TABLE IF NOT EXISTS month_hashes{{.OnCluster}}
(
    month    LowCardinality(String),
    run      Int64,
    invoices Int64,
    hash     FixedString(32)
)
ENGINE = {{.Replacing}}
ORDER BY (month, run, invoices)
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1;

-- The item-minutes of each resource in each month (contract 5.4), as a run
-- derived them: each item of each period lived; those on lines; those excluded,
-- because they were prepaid.
-- Sort key: the order of the report; run last, the highest holds.
CREATE TABLE IF NOT EXISTS item_minutes{{.OnCluster}}
(
    month       LowCardinality(String),
    account_id  String,
    resource_id String,
    run         Int64,
    lived       Int64,
    on_lines    Int64,
    excluded    Int64
)
ENGINE = {{.Replacing}}
PRIMARY KEY (month, account_id, resource_id)
ORDER BY (month, account_id, resource_id, run)
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1;

-- The conservation law of each sealed month, by account: difference is 0, or
-- something is wrong. A resource that late events touched is derived again in
-- all its months by the run that they touched; of a month where it no longer
-- has a period that run has no row, so older rows must not count.
CREATE VIEW IF NOT EXISTS conservation{{.OnCluster}} AS
SELECT
    month,
    account_id,
    sum(lived) AS item_minutes_lived,
    sum(on_lines) AS item_minutes_on_lines,
    sum(excluded) AS item_minutes_excluded,
    item_minutes_lived - item_minutes_on_lines - item_minutes_excluded AS difference
FROM
(
    SELECT month, account_id, resource_id, run, lived, on_lines, excluded
    FROM item_minutes FINAL
    ORDER BY month, account_id, resource_id, run DESC
    LIMIT 1 BY month, account_id, resource_id
) AS m
LEFT JOIN
(
    SELECT account_id, resource_id, max(run) AS run
    FROM touched_resources FINAL
    GROUP BY account_id, resource_id
) AS t ON m.account_id = t.account_id AND m.resource_id = t.resource_id
WHERE m.run >= t.run
GROUP BY month, account_id;
