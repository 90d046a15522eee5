-- {{.PerResource}} lifecycle events for each of {{.Resources}} resources, stored as ingest stores
-- them: created in the first day, then resized in even
-- steps. One in {{.Every}} of these changes the configuration, the others say again what
-- it is; of one resource in ten the last event is its deletion. One event in a
-- hundred is stored twice, as a copy that was sent again.
-- The raw bytes are left out: nobody reads them here.
INSERT INTO events (
    account_id, resource_id, time, sequence, source, id, is_usage, type, item, value, data, identity, content,
    topic, partition, offset, kafka_ms, raw, header_keys, header_values
)
WITH
    number % {{.Resources}} AS r,
    intDiv(number, {{.Resources}}) AS k,
    intDiv(k, {{.Every}}) AS version,
    intDiv({{.To}} - {{.From}} - 86400000, {{.PerResource}}) AS step,
    sipHash64(number, {{.Seed}}) AS drawn,
    concat(
        '{"item":"vcpu","unit":"core","unit_price":"', toString(toDecimal64(120000 + 500 * (r % 41), 3) + toDecimal64(r % 8, 3) / 8),
        if({{.Metered}}, '","meter":"sum","per":"use"', concat('","quantity":"', toString((r + version) % 7 + 1), '","per":"30d"')),
        ',"discount_percent":"', toString(toDecimal32(r % 5, 1) / 2), '","tax_percent":"', toString(8 + r % 2 * 2), '"',
        if({{.Metered}}, concat(',"free_quantity":"', toString(r % 100), '"'), ''), '}') AS config
SELECT
    concat('acc-', leftPad(toString(if({{.OneAccount}}, 0, intDiv(r, 10))), 7, '0')) AS account_id,
    concat('vm-', leftPad(toString(r), 8, '0')) AS resource_id,
    fromUnixTimestamp64Milli(toInt64({{.From}} + if(k = 0, drawn % 86400000, 86400000 + (k - 1) * step + drawn % step)), 'UTC') AS time,
    0 AS sequence,
    '/iaas/compute' AS source,
    lower(hex(sipHash128(number, {{.Seed}}))) AS id,
    false AS is_usage,
    multiIf(k = 0, 'resource.created', k = {{.PerResource}} - 1 AND r % 10 = 0, 'resource.deleted', 'resource.resized') AS type,
    '' AS item,
    0 AS value,
    multiIf(
        type = 'resource.created', concat(
            '{"account_id":"', account_id, '","resource_name":"server ', toString(r), '","product":"vServer","service":"compute",',
            '"mode":"postpaid","items":[', config, '],"auto_renew":false}'),
        type = 'resource.resized', concat('{"account_id":"', account_id, '","items":[', config, ']}'),
        concat('{"account_id":"', account_id, '"}')) AS data,
    {{template "identity"}} AS identity,
    {{template "content"}} AS content,
    'billing.lifecycle' AS topic,
    toInt32(cityHash64(account_id) % 8) AS partition,
    toInt64({{.Offset}} + 2 * number + copy) AS offset,
    toUnixTimestamp64Milli(time) + 1000 + 1000 * copy AS kafka_ms,
    '' AS raw, [] AS header_keys, [] AS header_values
FROM numbers({{.Resources}} * {{.PerResource}})
ARRAY JOIN range(1 + (drawn % 100 = 0)) AS copy
