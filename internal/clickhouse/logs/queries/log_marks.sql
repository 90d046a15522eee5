SELECT topic, log, partition, max(reached)
FROM log_marks
GROUP BY topic, log, partition
