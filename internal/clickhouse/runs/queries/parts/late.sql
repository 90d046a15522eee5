-- Events inside the run's cutoff and not inside the earlier one that can change a
-- month before sealed_to: those of its time, and lifecycle events up to 24 hours later
-- of a resource that then failed to be provisioned. 24 hours is how long after its
-- creation it may (contract 3): what began before sealed_to can be undone until then.
--
-- least_busiest and least are the lowest of the earlier one's ends, of one topic and
-- of all others: nothing new lies before them, and where an index says so no column is
-- read (0013).
PREWHERE topic = {busiest:String} AND offset >= {least_busiest:Int64}
    OR topic != {busiest:String} AND offset >= {least:Int64}
WHERE time < {sealed_to:DateTime64(3, 'UTC')} + INTERVAL 24 HOUR
    AND (
        time < {sealed_to:DateTime64(3, 'UTC')}
        OR NOT is_usage AND (account_id, resource_id) IN (
            SELECT account_id, resource_id
            FROM events
            WHERE time >= {sealed_to:DateTime64(3, 'UTC')}
                AND time < {sealed_to:DateTime64(3, 'UTC')} + INTERVAL 24 HOUR
                AND NOT is_usage AND type = 'resource.provision_failed'
                AND {{before_cutoff}}
        )
    )
    AND {{before_cutoff}}
    AND offset >= transform(
        toInt64(log) * 281474976710656 + toInt64(indexOf({since_topics:Array(String)}, topic)) * 4294967296 + partition,
        {since_keys:Array(Int64)}, {since_ends:Array(Int64)}, toInt64(0))
