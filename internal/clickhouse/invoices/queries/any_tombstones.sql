-- Whether there are any (tombstones.sql): a young history has none.
SELECT CAST(count() > 0, 'Bool')
FROM
(
    SELECT at
    FROM tombstones
    WHERE at <= {month:String} AND run < {run:Int64}
    LIMIT 1
)
