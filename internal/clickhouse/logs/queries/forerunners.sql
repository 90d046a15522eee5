-- How many of the notes, or marks where from is below 0, that new ones join on to are
-- there.
SELECT
    (
        SELECT toInt64(uniqExact(topic, log, partition, from, to))
        FROM log_notes
        WHERE (topic, log, partition, from, to) IN (
            SELECT toLowCardinality(t.1), t.2, t.3, t.4, t.5
            FROM (SELECT arrayJoin(arrayZip({topics:Array(String)}, {logs:Array(Int32)}, {partitions:Array(Int32)}, {froms:Array(Int64)}, {tos:Array(Int64)})) AS t)
            WHERE t.4 >= 0)
    ) + (
        SELECT toInt64(uniqExact(topic, log, partition, reached))
        FROM log_marks
        WHERE (topic, log, partition, reached) IN (
            SELECT toLowCardinality(t.1), t.2, t.3, t.5
            FROM (SELECT arrayJoin(arrayZip({topics:Array(String)}, {logs:Array(Int32)}, {partitions:Array(Int32)}, {froms:Array(Int64)}, {tos:Array(Int64)})) AS t)
            WHERE t.4 < 0)
    ) AS there
