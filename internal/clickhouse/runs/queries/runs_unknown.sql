-- The runs that have issued or sealed something and are not written down.
SELECT DISTINCT run
FROM
(
    SELECT run FROM invoices
    UNION ALL
    SELECT run FROM invoice_lines
    UNION ALL
    SELECT run FROM month_hashes
    UNION ALL
    SELECT run FROM seals
)
WHERE run NOT IN (SELECT number FROM runs)
ORDER BY run
LIMIT 20
