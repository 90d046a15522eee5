-- The highest partition of a log that is marked, -1 for none: every reader marks where it
-- begins.
SELECT if(count() = 0, toInt32(-1), max(partition)) FROM log_marks WHERE topic = {topic:String} AND log = {log:Int32}
