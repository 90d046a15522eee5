-- A line has its place in its document. An adjustment takes a line back and invoices it
-- anew: two rows of one line, of one item and position, which the key has to keep apart.
--
-- What was stored before reads 0, and of a line has one row a document. A column can be
-- appended to a key only in the statement that adds it, and without a default.
ALTER TABLE invoice_lines{{.OnCluster}} ADD COLUMN IF NOT EXISTS line_number Int32
    COMMENT 'place in its document, from 1; 0 where an older version wrote it',
    MODIFY ORDER BY (month, account_id, resource_id, period_start, position, run, invoice_code, item, coupon_code, line_number);

-- A run that broke off before its seal is carried out again from its beginning: what
-- an older version wrote of it, without numbers, would stand beside what is written then.
DELETE FROM invoice_lines{{.OnCluster}} WHERE line_number = 0 AND run NOT IN (SELECT run FROM seals);

-- As in 0007, with the line's number.
CREATE OR REPLACE VIEW invoice_rows{{.OnCluster}} AS
SELECT
    l.month AS month,
    l.account_id AS account_id,
    l.resource_id AS resource_id,
    l.period_start AS period_start,
    l.position AS position,
    l.run AS run,
    l.invoice_code AS invoice_code,
    l.line_number AS line_number,
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

-- As in 0014, with the line's number, by which the rows of an adjustment stand in its
-- order: what takes a line back before the line as it is now.
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
    position,
    line_number
FROM invoice_rows AS r
ORDER BY month, account_id, resource_id, r.period_start, position, run, invoice_code, line_number;
