-- All copies of the identities whose copies do not lie side by side in the order
-- of the fold. Only identities in conflict can: two copies that differ in
-- account, resource, time, sequence or type differ in content. So the first pass
-- groups narrow columns alone (and goes to disk when it must), the second looks
-- at the few that are left.
WITH
    inside AS (
        SELECT *
        FROM events
        WHERE offset < transform(
            toInt64(indexOf({topics:Array(String)}, topic)) * 4294967296 + partition,
            {keys:Array(Int64)}, {ends:Array(Int64)}, toInt64(0))
    ),
    conflicting AS (
        SELECT identity FROM inside GROUP BY identity HAVING min(content) != max(content)
    )
SELECT identity, topic, partition, offset, kafka_ms
FROM inside
WHERE identity IN (
    SELECT identity
    FROM inside
    WHERE identity IN (SELECT identity FROM conflicting)
    GROUP BY identity
    HAVING uniqExact(account_id, resource_id, time, sequence, is_usage) > 1
)
ORDER BY identity, topic, partition, offset
