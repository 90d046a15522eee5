-- Events before a cutoff that identities knows nothing of, which the search for
-- copies that lie apart (stray_copies.sql) would therefore miss. Equal rows of both tables are grouped, on disk
-- where there are many.
SELECT position.1 AS log, position.2 AS topic, position.3 AS partition, position.4 AS offset
FROM
(
    SELECT identity, content, maxIf((log, topic, partition, offset), of_event) AS position
    FROM
    (
        SELECT reinterpretAsUInt64(identity) AS identity, reinterpretAsUInt64(content) AS content,
            log, toString(topic) AS topic, partition, offset, true AS of_event
        FROM events
        WHERE {{before_cutoff}}
        UNION ALL
        SELECT identity, content, toInt32(0) AS log, '' AS topic, toInt32(0) AS partition, toInt64(0) AS offset, false AS of_event
        FROM identities
    )
    GROUP BY identity, content
    HAVING min(of_event)
)
ORDER BY log, topic, partition, offset
LIMIT {most:Int64}
SETTINGS max_bytes_before_external_group_by = 500000000
