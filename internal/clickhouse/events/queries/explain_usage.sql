-- The usage of one item of a resource in a stretch of time, as of a cutoff: of
-- each event the copy that counts (contract 2).
WITH
    candidates AS (
        SELECT *
        FROM event_copies
        WHERE account_id = {account:String} AND resource_id = {resource:String} AND is_usage AND item = {item:String}
            AND time >= {from:DateTime64(3, 'UTC')} AND time < {to:DateTime64(3, 'UTC')}
            AND {{before_cutoff}}
    )
SELECT source, id, type, time, log, topic, partition, offset, value
FROM candidates
WHERE (log, topic, partition, offset) IN
(
    SELECT argMin((log, topic, partition, offset), (sealed_by, kafka_ms, log, topic, partition, offset))
    FROM event_copies
    WHERE identity IN (SELECT identity FROM candidates)
        AND {{before_cutoff}}
    GROUP BY identity
)
ORDER BY time, sequence, source, id
