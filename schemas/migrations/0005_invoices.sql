-- What was invoiced. Rows are written once and never change; a repeated write
-- of the same rows has the same sort keys, and every reader makes them one with
-- FINAL. Nothing relies on a merge having happened: merges come when they like.
--
-- An invoice exists when its header is stored; lines come first (contract 5.3).

-- Reconciliation periods with the quantities that were billed, one element of
-- each item_* array for each item of the configuration.
-- Sort key: month first, because a month is read and explained as a whole; then
-- the order of the report; run last, which tells a period from what a later run
-- derived again.
CREATE TABLE IF NOT EXISTS periods{{.OnCluster}}
(
    month                  LowCardinality(String) COMMENT 'as 2026-10',
    account_id             String,
    resource_id            String,
    period_start           DateTime64(3, 'UTC'),
    run                    Int64,
    period_end             DateTime64(3, 'UTC'),
    resource_name          String,
    product                LowCardinality(String),
    service                LowCardinality(String),
    mode                   LowCardinality(String),
    coupon_code            String COMMENT 'empty for no coupon',
    coupon_value           Decimal(76, {{.Digits}}) COMMENT 'of the whole balance',
    coupon_used            Decimal(76, {{.Digits}}) COMMENT 'before the months derived together with this period',
    coupon_source          String COMMENT 'the event that brought it',
    coupon_id              String,
    opened_source          String,
    opened_id              String,
    opened_type            LowCardinality(String),
    opened_time            DateTime64(3, 'UTC'),
    opened_topic           LowCardinality(String),
    opened_partition       Int32,
    opened_offset          Int64,
    is_closed              Bool COMMENT 'false while it goes on past the month; then closed_* are empty',
    closed_source          String,
    closed_id              String,
    closed_type            LowCardinality(String),
    closed_time            DateTime64(3, 'UTC'),
    closed_topic           LowCardinality(String),
    closed_partition       Int32,
    closed_offset          Int64,
    item_names             Array(String),
    item_units             Array(String),
    item_unit_prices       Array(Decimal(38, 9)),
    item_quantities        Array(Decimal(38, 9)) COMMENT 'fixed; 0 with a meter',
    item_meters            Array(String) COMMENT 'empty for a fixed quantity',
    item_pers              Array(String),
    item_discount_percents Array(Decimal(9, 4)),
    item_tax_percents      Array(Decimal(9, 4)),
    item_free_quantities   Array(Decimal(38, 9)),
    item_measured          Array(Decimal(38, 9)) COMMENT 'what the meter gave',
    item_billed            Array(Decimal(38, 9)) COMMENT 'measured less the allowance',
    item_usage             Array(Int64) COMMENT 'usage events measured'
)
ENGINE = {{.Replacing}}
PRIMARY KEY (month, account_id, resource_id)
ORDER BY (month, account_id, resource_id, period_start, run)
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1;

-- One item in one reconciliation period, priced.
-- Sort key: month, account_id, resource_id, period_start, position is the order
-- of the usage report; run and invoice_code tell an invoice's line from its
-- adjustments'; item and coupon_code tell a line that is gone from the one that
-- stands at its position now.
CREATE TABLE IF NOT EXISTS invoice_lines{{.OnCluster}}
(
    month            LowCardinality(String),
    account_id       String,
    resource_id      String,
    period_start     DateTime64(3, 'UTC'),
    position         Int32 COMMENT 'of the item in its configuration, from 0',
    run              Int64,
    invoice_code     String,
    item             String,
    coupon_code      String COMMENT 'the coupon that the period is under, empty for none',
    period_end       DateTime64(3, 'UTC'),
    resource_name    String,
    product          LowCardinality(String),
    service          LowCardinality(String),
    unit             LowCardinality(String),
    unit_price       Decimal(38, 9),
    item_quantity    Decimal(38, 9) COMMENT 'of the configuration; 0 with a meter',
    meter            LowCardinality(String),
    per              LowCardinality(String),
    discount_percent Decimal(9, 4),
    tax_percent      Decimal(9, 4),
    free_quantity    Decimal(38, 9),
    minutes          Int64,
    quantity         Decimal(38, 9) COMMENT 'what the formula multiplies, after the allowance',
    before_tax       Decimal(76, {{.Digits}}),
    tax_amount       Decimal(76, {{.Digits}}),
    coupon_value     Decimal(76, {{.Digits}}),
    total_amount     Decimal(76, {{.Digits}})
)
ENGINE = {{.Replacing}}
PRIMARY KEY (month, account_id, resource_id)
ORDER BY (month, account_id, resource_id, period_start, position, run, invoice_code, item, coupon_code)
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1;

-- The headers. Sort key: month, account_id, resource_id as the lines have it,
-- then the code, which is the identity. precedence makes the row of the lowest
-- run the one that FINAL keeps: what was issued first never changes.
CREATE TABLE IF NOT EXISTS invoices{{.OnCluster}}
(
    month           LowCardinality(String),
    account_id      String,
    resource_id     String,
    code            String,
    kind            LowCardinality(String),
    run             Int64,
    precedence      UInt64 MATERIALIZED toUInt64(9223372036854775807 - run),
    created_at      DateTime64(3, 'UTC') COMMENT 'when the run noted its cutoff',
    period_start    DateTime64(3, 'UTC'),
    period_end      DateTime64(3, 'UTC'),
    lines           Int64,
    before_tax      Decimal(76, {{.Digits}}),
    tax_amount      Decimal(76, {{.Digits}}),
    coupon_value    Decimal(76, {{.Digits}}),
    total_amount    Decimal(76, {{.Digits}}),
    late_events     Int64 COMMENT 'behind an adjustment; the first 100 are named',
    late_sources    Array(String),
    late_ids        Array(String),
    late_types      Array(String),
    late_times      Array(DateTime64(3, 'UTC')),
    late_topics     Array(String),
    late_partitions Array(Int32),
    late_offsets    Array(Int64)
)
ENGINE = {{.ReplacingBy "precedence"}}
PRIMARY KEY (month, account_id, resource_id)
ORDER BY (month, account_id, resource_id, code)
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1;
