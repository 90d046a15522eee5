-- Headers of a code that stand elsewhere than the invoice.
SELECT
    code, kind, account_id, resource_id, month, run, created_at, period_start, period_end, lines,
    before_tax, tax_amount, coupon_value, total_amount, late_events,
    late_sources, late_ids, late_types, late_times, late_topics, late_partitions, late_offsets
FROM invoices FINAL
WHERE code = {code:String}
    AND (month, account_id, resource_id, run) != ({month:String}, {account:String}, {resource:String}, {run:Int64})
ORDER BY run, month, account_id, resource_id
LIMIT 100
