-- The keys of what a run has written of some accounts, headers aside and anomalies, as
-- tables.RowKey has them.
SELECT name, account_id, resource_id, place
FROM
(
    SELECT 'periods' AS name, account_id, resource_id, {{place_in_periods}} AS place
    FROM periods
    WHERE run = {run:Int64} AND account_id IN {accounts:Array(String)}
    UNION ALL
    SELECT 'invoice_lines' AS name, account_id, resource_id, {{place_in_invoice_lines}} AS place
    FROM invoice_lines
    WHERE run = {run:Int64} AND account_id IN {accounts:Array(String)}
    UNION ALL
    SELECT 'edges' AS name, account_id, resource_id, {{place_in_edges}} AS place
    FROM edges
    WHERE run = {run:Int64} AND account_id IN {accounts:Array(String)}
    UNION ALL
    SELECT 'tombstones' AS name, account_id, resource_id, {{place_in_tombstones}} AS place
    FROM tombstones
    WHERE run = {run:Int64} AND account_id IN {accounts:Array(String)}
    UNION ALL
    SELECT 'item_minutes' AS name, account_id, resource_id, {{place_in_item_minutes}} AS place
    FROM item_minutes
    WHERE run = {run:Int64} AND account_id IN {accounts:Array(String)}
    UNION ALL
    SELECT 'invoice_hashes' AS name, account_id, resource_id, {{place_in_invoice_hashes}} AS place
    FROM invoice_hashes
    WHERE run = {run:Int64} AND account_id IN {accounts:Array(String)}
)
ORDER BY account_id, resource_id
