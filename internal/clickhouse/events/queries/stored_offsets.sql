-- Where every message before a cutoff is stored: as an event, as a dead letter.
SELECT log, topic, partition, offset, rejected
FROM
(
    SELECT log, topic, partition, offset, false AS rejected
    FROM events FINAL
    WHERE {{before_cutoff}}
    UNION ALL
    SELECT log, topic, partition, offset, true AS rejected
    FROM dead_letters FINAL
    WHERE {{before_cutoff}}
)
ORDER BY log, topic, partition, offset, rejected
