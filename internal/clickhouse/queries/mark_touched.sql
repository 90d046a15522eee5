-- What the events between two cutoffs can change of the months before
-- sealed_to. It follows from the two cutoffs alone, so a second time writes the
-- same rows. A copy that is no news (a duplicate of an older event) touches too:
-- deriving its resource again then finds no difference.
--
-- new: inside the run's cutoff, not inside the earlier one. least is the lowest of
-- the earlier one's ends: no new event lies before it, and to know that of the
-- whole history only one column is read. 24 hours is how
-- long after its creation a resource may fail to be provisioned (contract 3):
-- what began before sealed_to can be undone until then.
INSERT INTO touched_resources (run, account_id, resource_id)
WITH
    new AS (
        SELECT account_id, resource_id, type, time, is_usage
        FROM events
        PREWHERE offset >= {least:Int64}
        WHERE time < {sealed_to:DateTime64(3, 'UTC')} + INTERVAL 24 HOUR
            AND {{before_cutoff}}
            AND offset >= transform(
                toInt64(indexOf({since_topics:Array(String)}, topic)) * 4294967296 + partition,
                {since_keys:Array(Int64)}, {since_ends:Array(Int64)}, toInt64(0))
    ),
    failed AS (
        SELECT account_id, resource_id
        FROM events
        WHERE time >= {sealed_to:DateTime64(3, 'UTC')}
            AND time < {sealed_to:DateTime64(3, 'UTC')} + INTERVAL 24 HOUR
            AND NOT is_usage AND type = 'resource.provision_failed'
            AND {{before_cutoff}}
    ),
    accounts AS (
        SELECT account_id FROM new WHERE resource_id = '' AND time < {sealed_to:DateTime64(3, 'UTC')}
    )
SELECT DISTINCT {run:Int64} AS run, account_id, resource_id
FROM
(
    SELECT account_id, resource_id
    FROM new
    WHERE time < {sealed_to:DateTime64(3, 'UTC')}
        OR NOT is_usage AND (account_id, resource_id) IN (SELECT account_id, resource_id FROM failed)
    UNION ALL
    SELECT account_id, resource_id
    FROM events
    WHERE NOT is_usage AND account_id IN (SELECT account_id FROM accounts)
        AND {{before_cutoff}}
)
