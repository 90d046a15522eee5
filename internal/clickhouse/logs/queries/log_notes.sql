-- The notes of a partition that may join on at an offset or behind it: none that began
-- before a mark reaches beyond it without another that begins there.
SELECT from, to, seen
FROM log_notes
WHERE topic = {topic:String} AND log = {log:Int32} AND partition = {partition:Int32} AND from >= {from:Int64}
ORDER BY from, to
