-- The month's lines of metered quantities, as one statement. For the meters sum,
-- with an allowance, and resources of one period a month.
INSERT INTO rival_lines (
    month, account_id, resource_id, period_start, position, run, invoice_code, item, coupon_code, period_end,
    resource_name, product, service, unit, unit_price, item_quantity, meter, per, discount_percent, tax_percent,
    free_quantity, minutes, quantity, before_tax, tax_amount, coupon_value, total_amount
)
WITH
    {{template "counting" .}},
    {{template "periods" .}},
    {{template "items" .}},
    {{template "measured" .}},
    {{template "prices"}}
SELECT
    '{{.Month}}' AS month, l.account_id, l.resource_id, l.period_start, place - 1 AS position, 1 AS run, '' AS invoice_code,
    l.i.1 AS item, '' AS coupon_code, period_end, resource_name, product, service, i.2 AS unit, i.3 AS unit_price,
    i.4 AS item_quantity, i.5 AS meter, i.6 AS per, i.7 AS discount_percent, i.8 AS tax_percent, i.9 AS free_quantity,
    minutes, greatest(toDecimal256(0, 9), m.measured - i.9) AS quantity,
    {{template "amounts"}}
FROM items AS l
LEFT JOIN measured AS m ON l.account_id = m.account_id AND l.resource_id = m.resource_id AND l.i.1 = m.item AND l.period_start = m.period_start
