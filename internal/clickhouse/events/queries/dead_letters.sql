-- The chosen dead letters without their bytes. No alias has the name of a column: the
-- server would take it for the column, and count the bytes of nothing.
SELECT
    log, topic, partition, offset, kafka_time, producer, toInt64(length(value)) AS bytes, '' AS no_key, '' AS no_value,
    [] :: Array(String) AS no_header_keys, [] :: Array(String) AS no_header_values, reason, detail,
    replays, replayed_at, new_log, new_partition, new_offset, fixed, is_replay, replay_of_log, replay_of_partition, replay_of_offset
FROM dead_letter_rows
WHERE ({topic:String} = '' OR topic = {topic:String})
    AND ({reason:String} = '' OR reason = {reason:String})
    AND ({producer:String} = '' OR producer = {producer:String})
    AND (NOT {has_from:Bool} OR kafka_time >= {from:DateTime64(3, 'UTC')})
    AND (NOT {has_to:Bool} OR kafka_time < {to:DateTime64(3, 'UTC')})
    AND (NOT {one:Bool} OR log = {log:Int32} AND partition = {partition:Int32} AND offset = {offset:Int64})
ORDER BY log, topic, partition, offset
