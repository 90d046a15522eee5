-- Copies that differ from the one that counts, each beside it.
SELECT
    r.account_id, r.resource_id, r.source, r.id, r.type, r.time, r.log, r.topic, r.partition, r.offset, r.raw,
    r.counting_log, r.counting_topic, r.counting_partition, r.counting_offset, c.raw
FROM repeated_events AS r
INNER JOIN
(
    SELECT identity, log, topic, partition, offset, any(raw) AS raw
    FROM events
    WHERE identity IN (SELECT identity FROM events GROUP BY identity HAVING min(content) != max(content))
    GROUP BY identity, log, topic, partition, offset
) AS c ON r.counting_log = c.log AND r.counting_topic = c.topic AND r.counting_partition = c.partition AND r.counting_offset = c.offset
WHERE r.verdict = 'conflict'
    AND ({account:String} = '' OR r.account_id = {account:String})
ORDER BY r.account_id, r.resource_id, r.time, r.source, r.id, r.log, r.topic, r.partition, r.offset
