-- All copies of the identities whose copies do not lie side by side in the order
-- of the fold. Only identities in conflict can: two copies that differ in
-- account, resource, time, sequence or type differ in content.
--
-- Every identity of the history is looked at, so each may cost next to nothing.
-- The table is sorted by identity; it is cut into ranges of about four thousand
-- rows, so few that counting the distinct ones of a range stays in the nearest
-- cache. That is half of what sorting ranges costs and a sixth of grouping by
-- identity. Counted are their lower halves, which costs a seventh less still: of a
-- range with fewer than it has rows, one in 500 even if no identity repeats, is
-- asked which identities do. Those are looked at again with their content, since an
-- equal copy is harmless, and only then (or never) events is read: the ones that
-- conflict are held as one value, so that no row of events is read when there are
-- none.
WITH
    (SELECT intDiv(18446744073709551615, 2 + intDiv(count(), 4000)) + 1 FROM identities) AS width,
    (
        SELECT (width, groupArray(range))
        FROM
        (
            SELECT intDiv(identity, width) AS range
            FROM identities
            GROUP BY range
            HAVING arrayUniq(groupArray(toUInt32(identity))) < count()
        )
    ) AS suspect,
    repeated AS (
        SELECT arrayJoin(arrayFilter((one, time) -> time > 1, range, arrayEnumerateUniq(range))) AS identity
        FROM
        (
            SELECT groupArray(identity) AS range
            FROM identities
            WHERE intDiv(identity, suspect.1) IN (SELECT arrayJoin(suspect.2))
            GROUP BY intDiv(identity, suspect.1)
        )
    ),
    (
        SELECT groupArray(identity)
        FROM
        (
            SELECT identity
            FROM identities
            WHERE identity IN (SELECT identity FROM repeated)
            GROUP BY identity
            HAVING min(content) != max(content)
        )
    ) AS conflicting
SELECT identity, copy.1 AS log, copy.2 AS topic, copy.3 AS partition, copy.4 AS offset, copy.5 AS kafka_ms
FROM
(
    SELECT identity, groupArray((log, topic, partition, offset, kafka_ms)) AS copies
    FROM events
    WHERE notEmpty(conflicting)
        AND reinterpretAsUInt64(identity) IN (SELECT arrayJoin(conflicting))
        AND {{before_cutoff}}
    GROUP BY identity
    HAVING uniqExact(account_id, resource_id, time, sequence, is_usage) > 1
)
ARRAY JOIN copies AS copy
ORDER BY identity, log, topic, partition, offset
SETTINGS optimize_aggregation_in_order = 1, aggregation_in_order_max_block_bytes = 2000000
