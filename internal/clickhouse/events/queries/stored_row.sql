-- The rows of one message, each once.
SELECT DISTINCT text
FROM
(
    SELECT {{row_of_events}} AS text
    FROM events
    WHERE NOT {rejected:Bool} AND log = {log:Int32} AND topic = {topic:String} AND partition = {partition:Int32} AND offset = {offset:Int64}
    UNION ALL
    SELECT {{row_of_dead_letters}} AS text
    FROM dead_letters
    WHERE {rejected:Bool} AND log = {log:Int32} AND topic = {topic:String} AND partition = {partition:Int32} AND offset = {offset:Int64}
)
ORDER BY text
LIMIT 100
