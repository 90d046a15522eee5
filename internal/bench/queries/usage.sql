-- {{.Events}} usage events, spread evenly over {{.Resources}} resources of lifecycle.sql and over
-- the days of the month after the first, in the order of time. {{.Copies}} in a hundred
-- are stored twice.
INSERT INTO events (
    account_id, resource_id, time, sequence, source, id, is_usage, type, item, value, data, identity, content,
    topic, partition, offset, kafka_ms, raw, header_keys, header_values
)
WITH
    number % {{.Resources}} AS r,
    sipHash64(number, {{.Seed}}) AS drawn
SELECT
    concat('acc-', leftPad(toString(if({{.OneAccount}}, 0, intDiv(r, 10))), 7, '0')) AS account_id,
    concat('vm-', leftPad(toString(r), 8, '0')) AS resource_id,
    fromUnixTimestamp64Milli(toInt64({{.From}} + 86400000 + intDiv(number * ({{.To}} - {{.From}} - 86400000), {{.Events}})), 'UTC') AS time,
    0 AS sequence,
    concat('/metering/collector-', toString(drawn % 40)) AS source,
    lower(hex(sipHash128(number, {{.Seed}}))) AS id,
    true AS is_usage,
    'usage.recorded' AS type,
    'vcpu' AS item,
    toDecimal128(drawn % 100000, 9) / 1000 AS value,
    '' AS data,
    {{template "identity"}} AS identity,
    {{template "usage_content"}} AS content,
    'billing.usage' AS topic,
    toInt32(cityHash64(account_id) % 8) AS partition,
    toInt64({{.Offset}} + 2 * number + copy) AS offset,
    toUnixTimestamp64Milli(time) + 1000 + 1000 * copy AS kafka_ms,
    '' AS raw, [] AS header_keys, [] AS header_values
FROM numbers({{.Events}})
ARRAY JOIN range(1 + (drawn % 100 < {{.Copies}})) AS copy
