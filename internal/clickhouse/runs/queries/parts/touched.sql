-- What the events between two cutoffs can change of the months before
-- sealed_to. It follows from the two cutoffs alone, so a second time gives the
-- same. A copy that is no news (a duplicate of an older event) touches too:
-- deriving its resource again then finds no difference.
WITH
    new AS (
        SELECT account_id, resource_id, time
        FROM events
        {{late}}
    ),
    accounts AS (
        SELECT account_id FROM new WHERE resource_id = '' AND time < {sealed_to:DateTime64(3, 'UTC')}
    )
SELECT DISTINCT account_id, resource_id
FROM
(
    SELECT account_id, resource_id
    FROM new
    UNION ALL
    SELECT account_id, resource_id
    FROM events
    WHERE NOT is_usage AND account_id IN (SELECT account_id FROM accounts)
        AND {{before_cutoff}}
)
