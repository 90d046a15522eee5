-- The newest of each run.
SELECT
    run, sealed_at, month, parked_accounts, parked_reasons, invoices, adjustments, lines,
    before_tax, tax_amount, coupon_value, total_amount
FROM seals FINAL
ORDER BY run, sealed_at DESC
LIMIT 1 BY run
