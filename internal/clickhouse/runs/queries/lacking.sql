-- The first invoice of a run that is not stored whole: it has other than the number of
-- lines that its header tells, or lacks its hash. The rows of one invoice come together by
-- a number that stands for its code, which is half the work.
SELECT max(account) AS account_id, max(resource) AS resource_id, max(code) AS code, sum(wanted) AS want, sum(line) AS lines, sum(hash) AS hashes
FROM
(
    SELECT cityHash64(code) AS invoice, account_id AS account, resource_id AS resource, code, lines AS wanted, toInt64(0) AS line, toInt64(0) AS hash
    FROM invoices FINAL
    WHERE run = {run:Int64}
    UNION ALL
    SELECT cityHash64(invoice_code), '', '', '', 0, 1, 0
    FROM invoice_lines FINAL
    WHERE run = {run:Int64}
    UNION ALL
    SELECT cityHash64(code), '', '', '', 0, 0, 1
    FROM invoice_hashes FINAL
    WHERE run = {run:Int64}
)
GROUP BY invoice
HAVING code != '' AND (lines != want OR hashes != 1)
ORDER BY account_id, resource_id, code
LIMIT 1
