-- What lay in Kafka of the messages of a partition before an offset, and the digest of
-- their rows, in any order. No alias has the name of a column: the server would take it
-- for the column within the row's text.
SELECT rejected, digest, reason, detail, offset, kafka_ms, key, bytes, header_keys, header_values
FROM
(
    SELECT false AS rejected, SHA256({{row_of_events}}) AS digest, toLowCardinality('') AS reason, '' AS detail,
        offset, kafka_ms, '' AS key, raw AS bytes, header_keys, header_values
    FROM events
    WHERE log = {log:Int32} AND topic = {topic:String} AND partition = {partition:Int32} AND offset < {before:Int64}
    UNION ALL
    SELECT true AS rejected, SHA256({{row_of_dead_letters}}) AS digest, reason, detail,
        offset, kafka_ms, key, value AS bytes, header_keys, header_values
    FROM dead_letters
    WHERE log = {log:Int32} AND topic = {topic:String} AND partition = {partition:Int32} AND offset < {before:Int64}
)
