-- Every row of a message before a cutoff, as an event or as a dead letter, with the
-- digest of all its columns; what a redelivery stored twice is there twice, since the
-- fold reads without FINAL too. Reason and detail are those of dead letters. The rows
-- are sorted on disk where they are many.
SELECT log, topic, partition, offset, rejected, digest, reason, detail
FROM
(
    SELECT log, topic, partition, offset, false AS rejected, SHA256({{row_of_events}}) AS digest,
        toLowCardinality('') AS reason, '' AS detail
    FROM events
    WHERE {{before_cutoff}}
    UNION ALL
    SELECT log, topic, partition, offset, true AS rejected, SHA256({{row_of_dead_letters}}) AS digest, reason, detail
    FROM dead_letters
    WHERE {{before_cutoff}}
)
ORDER BY log, topic, partition, offset, rejected, digest
SETTINGS max_bytes_before_external_sort = 500000000
