INSERT INTO invoice_hashes (month, account_id, resource_id, code, run, hash) SETTINGS optimize_on_insert = 0 FORMAT Native
