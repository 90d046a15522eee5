INSERT INTO invoice_lines (
    month, account_id, resource_id, period_start, position, run, invoice_code, item, coupon_code, period_end,
    resource_name, product, service, unit, unit_price, item_quantity, meter, per, discount_percent, tax_percent,
    free_quantity, minutes, quantity, before_tax, tax_amount, coupon_value, total_amount
) SETTINGS optimize_on_insert = 0 FORMAT Native
