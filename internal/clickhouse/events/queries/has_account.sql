-- Whether anything was stored of an account. The key has it after the month, so that
-- few granules are read.
SELECT CAST(count() > 0, 'Bool')
FROM
(
    SELECT account_id
    FROM events
    WHERE account_id = {account:String}
    LIMIT 1
)
