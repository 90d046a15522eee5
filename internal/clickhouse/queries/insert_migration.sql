INSERT INTO schema_migrations (number, name, checksum, digits, applied_at) FORMAT Native
