-- How many rows of UTC months each part of the table has, on which server: see
-- lanes.go. Nobody needs a right to read system tables for it.
SELECT toYYYYMM(time) AS month, toString(_part) AS part, toInt64(count()) AS rows, toString(serverUUID()) AS server
FROM events
WHERE toYYYYMM(time) IN {months:Array(Int64)} AND is_usage = {usage:Bool}
GROUP BY month, part
ORDER BY month, rows DESC, part
