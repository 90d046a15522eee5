-- Whether there is anything to mark (mark_touched.sql): often there is nothing, and
-- marking takes three times as long as asking.
SELECT CAST(count() > 0, 'Bool')
FROM
(
    SELECT time
    FROM events
    {{late}}
    LIMIT 1
)
