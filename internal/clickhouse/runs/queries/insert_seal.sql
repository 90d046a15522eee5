INSERT INTO seals (
    run, sealed_at, month, parked_accounts, parked_reasons, invoices, adjustments, lines,
    before_tax, tax_amount, coupon_value, total_amount
) FORMAT Native
