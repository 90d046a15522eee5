SELECT log, topic, partition, offset
FROM dead_letter_copies
GROUP BY log, topic, partition, offset
HAVING NOT max(written)
