-- Rows that may be those of a message, but stand where no message of the cutoff does:
-- events of its identity, dead letters of its Kafka timestamp.
SELECT text
FROM
(
    SELECT {{row_of_events}} AS text
    FROM events
    WHERE NOT {rejected:Bool} AND lower(hex(identity)) = {identity:String} AND NOT ({{before_cutoff}})
    UNION ALL
    SELECT {{row_of_dead_letters}} AS text
    FROM dead_letters
    WHERE {rejected:Bool} AND kafka_ms = {kafka_ms:Int64} AND NOT ({{before_cutoff}})
)
ORDER BY text
LIMIT 100
