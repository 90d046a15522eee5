-- The last message of each partition of a topic that is stored, as an event or as a
-- dead letter. Where it lies is looked for first, without any bytes.
WITH
    last AS (
        SELECT partition, max(offset) AS offset
        FROM
        (
            SELECT partition, offset FROM events WHERE topic = {topic:String} AND log = {log:Int32}
            UNION ALL
            SELECT partition, offset FROM dead_letters WHERE topic = {topic:String} AND log = {log:Int32}
        )
        GROUP BY partition
    )
SELECT partition, offset, any(kafka_ms) AS ms, any(bytes) AS value
FROM
(
    SELECT partition, offset, kafka_ms, raw AS bytes
    FROM events
    WHERE topic = {topic:String} AND log = {log:Int32} AND (partition, offset) IN (SELECT partition, offset FROM last)
    UNION ALL
    SELECT partition, offset, kafka_ms, value AS bytes
    FROM dead_letters
    WHERE topic = {topic:String} AND log = {log:Int32} AND (partition, offset) IN (SELECT partition, offset FROM last)
)
GROUP BY partition, offset
ORDER BY partition
