-- The parts of the table, on which server: see lanes.go. The server knows them
-- without reading anything.
SELECT toString(_part) AS part, toInt64(count()) AS rows, toString(serverUUID()) AS server
FROM events
GROUP BY part
ORDER BY part
