SELECT DISTINCT topic, log, partition, from, to, reason
FROM log_notes
WHERE reason != ''
ORDER BY topic, log, partition, from, to, reason
