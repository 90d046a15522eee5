-- The month's lines of fixed quantities, as one statement: events deduplicated
-- by identity, the configurations in force by the minute, priced and stored.
-- For events of the types created, resized and deleted, without coupons.
INSERT INTO rival_lines (
    month, account_id, resource_id, period_start, position, run, invoice_code, item, coupon_code, period_end,
    resource_name, product, service, unit, unit_price, item_quantity, meter, per, discount_percent, tax_percent,
    free_quantity, minutes, quantity, before_tax, tax_amount, coupon_value, total_amount
)
WITH
    {{template "counting" .}},
    {{template "periods" .}},
    {{template "items" .}},
    {{template "prices"}}
SELECT
    '{{.Month}}' AS month, account_id, resource_id, period_start, place - 1 AS position, 1 AS run, '' AS invoice_code,
    i.1 AS item, '' AS coupon_code, period_end, resource_name, product, service, i.2 AS unit, i.3 AS unit_price,
    i.4 AS item_quantity, '' AS meter, i.6 AS per, i.7 AS discount_percent, i.8 AS tax_percent, 0 AS free_quantity,
    minutes, i.4 AS quantity,
    {{template "amounts"}}
FROM items
