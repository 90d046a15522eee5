-- The chosen dead letters by reason: all, those replayed, and those that are a
-- replay that was rejected again.
SELECT reason, toInt64(count()) AS letters, toInt64(countIf(replays > 0)) AS replayed, toInt64(countIf(is_replay)) AS again
FROM dead_letter_rows
WHERE ({topic:String} = '' OR topic = {topic:String})
    AND ({reason:String} = '' OR reason = {reason:String})
    AND ({producer:String} = '' OR producer = {producer:String})
    AND (NOT {has_from:Bool} OR kafka_time >= {from:DateTime64(3, 'UTC')})
    AND (NOT {has_to:Bool} OR kafka_time < {to:DateTime64(3, 'UTC')})
    AND (NOT {one:Bool} OR log = {log:Int32} AND partition = {partition:Int32} AND offset = {offset:Int64})
GROUP BY reason
ORDER BY letters DESC, reason
