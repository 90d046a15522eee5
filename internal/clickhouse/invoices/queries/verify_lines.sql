-- Every line that is stored, also one that no header names.
SELECT
    invoice_code, account_id, resource_id, resource_name, product, service, month, period_start, period_end, position,
    item, unit, unit_price, item_quantity, meter, per, discount_percent, tax_percent, free_quantity,
    minutes, quantity, coupon_code, before_tax, tax_amount, coupon_value, total_amount,
    run
FROM invoice_lines FINAL
WHERE month = {month:String} AND run <= {run:Int64}
ORDER BY account_id, resource_id, run, invoice_code, period_start, position, item, coupon_code
