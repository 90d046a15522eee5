-- stray_copies.sql for the identities of one resource's events and of its account's own.
WITH
    inside AS (
        SELECT *
        FROM events
        WHERE {{before_cutoff}}
            AND identity IN (
                SELECT identity
                FROM events
                WHERE account_id = {account:String} AND resource_id IN ('', {resource:String}))
    )
SELECT identity, log, topic, partition, offset, kafka_ms
FROM inside
WHERE identity IN (
    SELECT identity
    FROM inside
    GROUP BY identity
    HAVING uniqExact(account_id, resource_id, time, sequence, is_usage) > 1
)
ORDER BY identity, log, topic, partition, offset
