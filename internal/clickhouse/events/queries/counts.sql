-- stored: identities; repeated: their further copies; conflicts: those of them
-- that differ from the copy that counts; rejected: messages. FINAL makes a
-- message that was stored twice one, before or after any merge. Only the few
-- identities with copies that differ are looked at one by one.
SELECT
    toInt64(count()) AS stored,
    toInt64(sum(copies)) - stored AS repeated,
    (
        SELECT toInt64(sum(arrayCount(c -> c != counting, contents)))
        FROM
        (
            SELECT
                argMin(content, (sealed_by, kafka_ms, log, topic, partition, offset)) AS counting,
                groupArray(content) AS contents
            FROM event_copies
            WHERE identity IN (SELECT identity FROM events GROUP BY identity HAVING min(content) != max(content))
            GROUP BY identity
        )
    ) AS conflicts,
    (SELECT toInt64(count()) FROM dead_letters FINAL) AS rejected
FROM (SELECT count() AS copies FROM events FINAL GROUP BY identity)
