INSERT INTO invoices (
    month, account_id, resource_id, code, kind, run, created_at, period_start, period_end, lines,
    before_tax, tax_amount, coupon_value, total_amount, late_events,
    late_sources, late_ids, late_types, late_times, late_topics, late_partitions, late_offsets
) SETTINGS optimize_on_insert = 0 FORMAT Native
