{{- /* The steps that the rivals' statements share. */ -}}

{{define "counting" -}}
repeated AS (
        SELECT identity
        FROM events
        WHERE time >= fromUnixTimestamp64Milli({{.From}}) AND time < fromUnixTimestamp64Milli({{.To}}){{.Kind}}
        GROUP BY identity
        HAVING count() > 1
    ),
    losers AS (
        SELECT arrayJoin(arrayMap(l -> (l.2, l.3, l.4),
            arrayPopFront(arraySort(groupArray((kafka_ms, topic, partition, offset)))))) AS place
        FROM events
        WHERE time >= fromUnixTimestamp64Milli({{.From}}) AND time < fromUnixTimestamp64Milli({{.To}}){{.Kind}}
            AND identity IN repeated
        GROUP BY identity
    ),
    -- One value, so that it is made once however often counting is read.
    (SELECT groupArray(place) FROM losers) AS lost,
    counting AS (
        SELECT account_id, resource_id, time, sequence, source, id, type, item, value, data, is_usage
        FROM events
        WHERE time >= fromUnixTimestamp64Milli({{.From}}) AND time < fromUnixTimestamp64Milli({{.To}}){{.Kind}}
            AND (topic, partition, offset) NOT IN (SELECT arrayJoin(lost))
    )
{{- end}}

{{define "configured" -}}
multiIf(
            type = 'resource.resized', substring(data, position(data, ',"items":[') + 9, length(data) - position(data, ',"items":[') - 9),
            type = 'resource.created', JSONExtractRaw(data, 'items'), '')
{{- end}}

{{define "periods" -}}
seen AS (
        SELECT account_id, resource_id, time, sequence, source, id, type, {{template "configured"}} AS configuration,
            if(type = 'resource.created', JSONExtract(data, 'Tuple(resource_name String, product String, service String)'), ('', '', '')) AS names,
            lagInFrame(configuration) OVER in_order AS before
        FROM counting
        WHERE NOT is_usage
        WINDOW in_order AS (PARTITION BY account_id, resource_id ORDER BY time, sequence, source, id)
    ),
    changes AS (
        SELECT account_id, resource_id, configuration, time, type,
            leadInFrame(time) OVER later AS until, leadInFrame(type) OVER later AS ended_by,
            first_value(names) OVER later AS names
        FROM seen
        WHERE configuration != before
        WINDOW later AS (PARTITION BY account_id, resource_id ORDER BY time, sequence, source, id
            ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)
    ),
    periods AS (
        SELECT account_id, resource_id, configuration, names.1 AS resource_name, names.2 AS product, names.3 AS service,
            toStartOfMinute(time) AS period_start,
            multiIf(
                ended_by = '', fromUnixTimestamp64Milli({{.To}}, 'UTC'),
                ended_by = 'resource.deleted' AND toStartOfMinute(until) < until, toStartOfMinute(until) + INTERVAL 1 MINUTE,
                toStartOfMinute(until)) AS period_end,
            dateDiff('minute', period_start, period_end) AS minutes
        FROM changes
        WHERE configuration != '' AND minutes > 0
    )
{{- end}}

{{define "items" -}}
items AS (
        SELECT account_id, resource_id, resource_name, product, service, period_start, period_end, minutes, i, place
        FROM periods
        ARRAY JOIN
            JSONExtract(configuration, 'Array(Tuple(item String, unit String, unit_price Decimal(38, 9), quantity Decimal(38, 9), meter String, per String, discount_percent Decimal(9, 4), tax_percent Decimal(9, 4), free_quantity Decimal(38, 9)))') AS i,
            arrayEnumerate(JSONExtractArrayRaw(configuration)) AS place
    )
{{- end}}

{{define "measured" -}}
used AS (
        SELECT account_id, resource_id, item, groupArray(time) AS times, groupArray(toDecimal256(value, 9)) AS amounts
        FROM counting
        WHERE is_usage
        GROUP BY account_id, resource_id, item
    ),
    measured AS (
        SELECT p.account_id AS account_id, p.resource_id AS resource_id, p.i.1 AS item, p.period_start AS period_start,
            arrayReduce('sumIf', u.amounts, arrayMap(at -> at >= period_start AND at < p.period_end, u.times)) AS measured
        FROM used AS u
        INNER JOIN items AS p ON u.account_id = p.account_id AND u.resource_id = p.resource_id AND u.item = p.i.1
    )
{{- end}}

{{define "prices" -}}
transform(i.6, ['30d', '1d', '1h'], [43200, 1440, 60], 0) AS per_minutes,
    toInt256(i.3 * toDecimal256('1000000000', 0)) * toInt256(quantity * toDecimal256('1000000000', 0))
        * toInt256(1000000 - toDecimal64(i.7, 4) * 10000) * if(per_minutes = 0, 1, minutes) AS exact,
    toInt256('1000000000000000000000000000000') * if(per_minutes = 0, 1, per_minutes) AS divisor
{{- end}}

{{define "amounts" -}}
total_amount - tax_amount AS before_tax,
    toInt64(intDiv(2 * exact * toInt256(toDecimal64(i.8, 4) * 10000) + divisor, 2 * divisor)) AS tax_amount,
    0 AS coupon_value,
    toInt64(intDiv(2 * exact * toInt256(1000000 + toDecimal64(i.8, 4) * 10000) + divisor, 2 * divisor)) AS total_amount
{{- end}}
