-- Fills every column of events that reckon fills: one pass over the JSON of a
-- message, and the same digests.
CREATE MATERIALIZED VIEW filler TO events AS
WITH
    JSONExtract(raw, 'Tuple(id String, source String, type LowCardinality(String), subject String, time DateTime64(3, \'UTC\'), sequence Int64, data Tuple(account_id String, item LowCardinality(String), value Decimal(38, 9)))') AS e,
    e.data AS d
SELECT
    d.account_id AS account_id, e.subject AS resource_id, e.time AS time, e.sequence AS sequence,
    e.source AS source, e.id AS id, e.type = 'usage.recorded' AS is_usage, e.type AS type,
    d.item AS item, d.value AS value, '' AS data,
    {{template "identity"}} AS identity,
    {{template "usage_content"}} AS content,
    _topic AS topic, toInt32(_partition) AS partition, toInt64(_offset) AS offset, toUnixTimestamp64Milli(assumeNotNull(_timestamp_ms)) AS kafka_ms,
    raw, _headers.name AS header_keys, _headers.value AS header_values
FROM queue
