SELECT number, name, checksum, digits FROM schema_migrations FINAL ORDER BY number
