-- What people ask. Views never rely on merges: each reads with FINAL.

-- The line of every invoice that exists, typed, with what only the header
-- knows. Nothing tells of payments yet: an invoice is Paid at birth when it is
-- a prepaid one or its total is zero or less, else Unpaid (contract 5.6 and 8).
-- The join names every common column so that a condition on the month, the
-- account or the resource prunes both sides.
CREATE VIEW IF NOT EXISTS invoice_rows{{.OnCluster}} AS
SELECT
    l.month AS month,
    l.account_id AS account_id,
    l.resource_id AS resource_id,
    l.period_start AS period_start,
    l.position AS position,
    l.run AS run,
    l.invoice_code AS invoice_code,
    h.kind AS kind,
    h.created_at AS created_at,
    if(h.kind = 'paid' OR h.total_amount <= 0, 'Paid', 'Unpaid') AS status,
    l.resource_name AS resource_name,
    l.product AS product,
    l.service AS service,
    l.item AS item,
    l.unit AS unit,
    l.period_end AS period_end,
    l.minutes AS minutes,
    l.unit_price AS unit_price,
    l.item_quantity AS item_quantity,
    l.meter AS meter,
    l.per AS per,
    l.free_quantity AS free_quantity,
    l.quantity AS quantity,
    l.discount_percent AS discount_percent,
    l.tax_percent AS tax_percent,
    l.before_tax AS before_tax,
    l.tax_amount AS tax_amount,
    l.coupon_code AS coupon_code,
    l.coupon_value AS coupon_value,
    l.total_amount AS total_amount
FROM invoice_lines AS l FINAL
INNER JOIN invoices AS h FINAL
    ON l.month = h.month AND l.account_id = h.account_id AND l.resource_id = h.resource_id
    AND l.invoice_code = h.code AND l.run = h.run;

-- The usage report of contract 6: its columns in its order, then month, kind,
-- run and position. Times are text in the billing zone that the first run
-- fixed; the offset is that of each instant. Prices and quantities are widened,
-- because sums and products of Decimal(38, 9) overflow without a word.
CREATE VIEW IF NOT EXISTS usage_report{{.OnCluster}} AS
WITH
    ifNull(nullIf((SELECT argMin(zone, (number, created_at, cutoff)) FROM runs), ''), 'UTC') AS zone,
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

-- Every copy of every event, once, with the first run whose cutoff holds it
-- (the highest number there is when none does yet).
CREATE VIEW IF NOT EXISTS event_copies{{.OnCluster}} AS
SELECT
    e.*,
    e.kafka_time AS kafka_time,
    arrayFirst(r -> e.offset < r.1, s.seals).2 AS first_run,
    if(first_run = 0, 9223372036854775807, first_run) AS sealed_by
FROM events AS e FINAL
LEFT JOIN
(
    SELECT c.topic AS topic, c.partition AS partition, arraySort(r -> r.2, groupArray((c.end, number))) AS seals
    FROM (SELECT number, cutoff FROM runs ORDER BY number, created_at, cutoff LIMIT 1 BY number)
    ARRAY JOIN cutoff AS c
    GROUP BY topic, partition
) AS s ON e.topic = s.topic AND e.partition = s.partition;

-- The copies that do not count (contract 2), each beside the one that does:
-- conflict where the two differ in content, else duplicate.
CREATE VIEW IF NOT EXISTS repeated_events{{.OnCluster}} AS
SELECT
    c.account_id AS account_id, c.resource_id AS resource_id, c.time AS time, c.source AS source, c.id AS id,
    c.type AS type, c.topic AS topic, c.partition AS partition, c.offset AS offset, c.kafka_ms AS kafka_ms,
    c.kafka_time AS kafka_time,
    c.raw AS raw,
    if(c.content = counting.content, 'duplicate', 'conflict') AS verdict,
    counting.position.1 AS counting_topic,
    counting.position.2 AS counting_partition,
    counting.position.3 AS counting_offset
FROM event_copies AS c
INNER JOIN
(
    SELECT
        identity,
        argMin((topic, partition, offset), (sealed_by, kafka_ms, topic, partition, offset)) AS position,
        argMin(content, (sealed_by, kafka_ms, topic, partition, offset)) AS content
    FROM event_copies
    WHERE identity IN (SELECT identity FROM events FINAL GROUP BY identity HAVING count() > 1)
    GROUP BY identity
) AS counting ON c.identity = counting.identity
WHERE (c.topic, c.partition, c.offset) != counting.position;
