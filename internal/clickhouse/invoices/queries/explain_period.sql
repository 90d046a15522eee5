-- The events that opened and closed a period when it was last stored.
SELECT
    opened_source, opened_id, opened_type, opened_time, opened_log, opened_topic, opened_partition, opened_offset,
    is_closed, closed_source, closed_id, closed_type, closed_time, closed_log, closed_topic, closed_partition, closed_offset
FROM periods FINAL
WHERE month = {month:String} AND account_id = {account:String} AND resource_id = {resource:String}
    AND period_start = {start:DateTime64(3, 'UTC')} AND run <= {run:Int64}
ORDER BY run
