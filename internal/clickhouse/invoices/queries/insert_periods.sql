INSERT INTO periods (
    month, account_id, resource_id, period_start, run, period_end, resource_name, product, service, mode,
    coupon_code, coupon_value, coupon_used, coupon_source, coupon_id,
    opened_source, opened_id, opened_type, opened_time, opened_topic, opened_partition, opened_offset,
    is_closed,
    closed_source, closed_id, closed_type, closed_time, closed_topic, closed_partition, closed_offset,
    item_names, item_units, item_unit_prices, item_quantities, item_meters, item_pers, item_discount_percents,
    item_tax_percents, item_free_quantities, item_measured, item_billed, item_usage
) SETTINGS optimize_on_insert = 0 FORMAT Native
