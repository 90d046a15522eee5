-- The book of seals: what each run may look at, written before anything is
-- derived (contract 5.2), and what became of it.
--
-- A run is one insert whose deduplication token is its number: of two runners
-- that note at once the second one's row is dropped, and both read the first
-- one's back. Should two rows of a number ever be there, everybody
-- takes the same one: the lowest created_at, then the lowest cutoff.
-- Sort key: number for the order of reading; the other columns keep two rows of
-- one number apart, so that a merge never decides which of them wins.
CREATE TABLE IF NOT EXISTS runs{{.OnCluster}}
(
    number      Int64,
    month       String COMMENT 'as 2026-10',
    created_at  DateTime64(3, 'UTC') COMMENT 'when the ends were noted',
    first_month String,
    currency    String,
    zone        String COMMENT 'IANA name of the billing zone',
    cutoff      Array(Tuple(topic String, partition Int32, end Int64))
)
ENGINE = {{.Replacing}}
PRIMARY KEY number
ORDER BY (number, created_at, month, cutoff)
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1;

-- That a run was carried out, but for the accounts that it parked. Each attempt
-- is a row; the newest of a run holds.
-- Sort key: run, then sealed_at, which keeps the attempts apart.
CREATE TABLE IF NOT EXISTS seals{{.OnCluster}}
(
    run             Int64,
    sealed_at       DateTime64(3, 'UTC'),
    month           String,
    parked_accounts Array(String),
    parked_reasons  Array(String) COMMENT 'one for each account',
    invoices        Int64,
    adjustments     Int64,
    lines           Int64,
    before_tax      Decimal(76, {{.Digits}}),
    tax_amount      Decimal(76, {{.Digits}}),
    coupon_value    Decimal(76, {{.Digits}}),
    total_amount    Decimal(76, {{.Digits}})
)
ENGINE = {{.Replacing}}
ORDER BY (run, sealed_at)
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1;

-- Which resources a run has to derive again because of late events; the account
-- itself with an empty resource_id. It follows from the run's cutoff alone, so
-- writing it again writes the same rows.
-- Sort key: all columns, run first because it is always asked for by run.
CREATE TABLE IF NOT EXISTS touched_resources{{.OnCluster}}
(
    run         Int64,
    account_id  String,
    resource_id String
)
ENGINE = {{.Replacing}}
ORDER BY (run, account_id, resource_id)
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1;
