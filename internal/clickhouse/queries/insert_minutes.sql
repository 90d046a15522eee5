INSERT INTO item_minutes (month, account_id, resource_id, run, lived, on_lines, excluded) FORMAT Native
