-- Where every message before a cutoff is stored: as an event, as a dead letter.
SELECT topic, partition, offset, rejected
FROM
(
    SELECT topic, partition, offset, false AS rejected
    FROM events FINAL
    WHERE offset < transform(
        toInt64(indexOf({topics:Array(String)}, topic)) * 4294967296 + partition,
        {keys:Array(Int64)}, {ends:Array(Int64)}, toInt64(0))
    UNION ALL
    SELECT topic, partition, offset, true AS rejected
    FROM dead_letters FINAL
    WHERE offset < transform(
        toInt64(indexOf({topics:Array(String)}, topic)) * 4294967296 + partition,
        {keys:Array(Int64)}, {ends:Array(Int64)}, toInt64(0))
)
ORDER BY topic, partition, offset, rejected
