SELECT name, engine, engine_full
FROM system.tables
WHERE database = currentDatabase() AND name IN {names:Array(String)}
ORDER BY name
