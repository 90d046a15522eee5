INSERT INTO item_minutes (month, account_id, resource_id, run, lived, on_lines, excluded) SETTINGS optimize_on_insert = 0 FORMAT Native
