-- The parts of the table that have rows of a UTC month, and about how many, on
-- which server: see lanes.go. Nobody needs a right to read system tables for it.
--
-- Rows are counted by the primary index alone, in whole granules, which reads no
-- column (indexHint): counting exactly read the time of every event, which was a
-- tenth of what reading the events themselves took. A part with any row of the
-- month is among them. The setting keeps the server from counting whole parts.
SELECT toString(_part) AS part, toInt64(count()) AS rows, toString(serverUUID()) AS server
FROM events
WHERE indexHint(toYYYYMM(time) = {month:UInt32} AND is_usage = {usage:Bool})
GROUP BY part
ORDER BY rows DESC, part
SETTINGS optimize_use_implicit_projections = 0, optimize_time_filter_with_preimage = 0
