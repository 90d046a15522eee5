-- Runs of other kinds than seals: they have their numbers from the same sequence, and
-- come thousands of times as often. A seal, and whoever asks which copy of an event
-- counts, reads the runs of seals alone.

-- A projection outlives the merge of two rows that are one.
ALTER TABLE runs{{.OnCluster}}
    MODIFY SETTING deduplicate_merge_projection_mode = 'rebuild';

-- All that is stored so far are seals, and keep their numbers. Who has a number is
-- decided as before, by one insert whose deduplication token it is; so the kind is
-- not in the token, and the table is not partitioned by it: the server looks for a
-- token in one partition only.
ALTER TABLE runs{{.OnCluster}} ADD COLUMN IF NOT EXISTS kind
    LowCardinality(String) DEFAULT 'seal' COMMENT 'seal' AFTER number;

-- The runs of one kind side by side. In the table's own order, by number, seals lie
-- far apart, and about 8192 rows are read for each: with 120 seals among 500 000 runs
-- that was all of them. Here it is 190, and 13 000 if granules had their 8192 rows. Of
-- less than 512 the server would take the table instead where it has fewer granules,
-- and so up to 8192/512 = 16 times the rows of seals.
--
-- A column that is added to the table later is not in it. Who asks for that reads the
-- table, unless the projection is made again with it.
ALTER TABLE runs{{.OnCluster}} ADD PROJECTION IF NOT EXISTS by_kind
    (SELECT * ORDER BY kind, number)
    WITH SETTINGS (index_granularity = 512);
ALTER TABLE runs{{.OnCluster}} MATERIALIZE PROJECTION IF EXISTS by_kind;

-- As in 0007, but that they ask seals only.

-- The usage report of contract 6: its columns in its order, then month, kind,
-- run and position. Times are text in the billing zone that the first seal
-- fixed; the offset is that of each instant. Prices and quantities are widened,
-- because sums and products of Decimal(38, 9) overflow without a word.
CREATE OR REPLACE VIEW usage_report{{.OnCluster}} AS
WITH
    ifNull(nullIf((SELECT argMin(zone, (number, created_at, cutoff)) FROM runs WHERE kind = 'seal'), ''), 'UTC') AS zone,
    at -> concat(
        formatDateTime(at, '%Y-%m-%dT%H:%i:%S', zone),
        replaceRegexpOne(formatDateTime(at, '%z', zone), '([0-9]{2})$', ':\\1')) AS local
SELECT
    account_id,
    invoice_code,
    local(created_at) AS created_at,
    status,
    resource_name,
    resource_id,
    product AS product_name,
    service AS service_name,
    item,
    unit,
    local(r.period_start) AS period_start,
    local(r.period_end) AS period_end,
    minutes,
    CAST(unit_price, 'Decimal(76, 9)') AS unit_price,
    CAST(quantity, 'Decimal(76, 9)') AS quantity,
    discount_percent,
    tax_percent,
    before_tax,
    tax_amount,
    coupon_code,
    coupon_value,
    total_amount,
    month,
    kind,
    run,
    position
FROM invoice_rows AS r
ORDER BY month, account_id, resource_id, r.period_start, position, run, invoice_code;

-- Every copy of every event, once, with the first seal whose cutoff holds it
-- (the highest number there is when none does yet).
CREATE OR REPLACE VIEW event_copies{{.OnCluster}} AS
SELECT
    e.*,
    e.kafka_time AS kafka_time,
    arrayFirst(r -> e.offset < r.1, s.seals).2 AS first_run,
    if(first_run = 0, 9223372036854775807, first_run) AS sealed_by
FROM events AS e FINAL
LEFT JOIN
(
    SELECT c.topic AS topic, c.partition AS partition, arraySort(r -> r.2, groupArray((c.end, number))) AS seals
    FROM (SELECT number, cutoff FROM runs WHERE kind = 'seal' ORDER BY number, created_at, cutoff LIMIT 1 BY number)
    ARRAY JOIN cutoff AS c
    GROUP BY topic, partition
) AS s ON e.topic = s.topic AND e.partition = s.partition;
