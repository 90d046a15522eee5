-- Lines that only one of the two wrote, or with other amounts.
SELECT count()
FROM
(
    SELECT 1
    FROM
    (
        SELECT account_id, resource_id, period_start, period_end, item, minutes, quantity, before_tax, tax_amount, coupon_value, total_amount, 1 AS side
        FROM invoice_lines FINAL
        UNION ALL
        SELECT account_id, resource_id, period_start, period_end, item, minutes, quantity, before_tax, tax_amount, coupon_value, total_amount, -1 AS side
        FROM rival_lines FINAL
        UNION ALL
        -- Nothing written is nothing compared.
        SELECT '', '', now64(3), now64(3), '', 0, 0, 0, 0, 0, 0, 1 AS side
        WHERE (SELECT count() FROM invoice_lines) = 0
    )
    GROUP BY account_id, resource_id, period_start, period_end, item, minutes, quantity, before_tax, tax_amount, coupon_value, total_amount
    HAVING sum(side) != 0
)
