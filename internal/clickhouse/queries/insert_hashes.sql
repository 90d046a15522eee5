INSERT INTO invoice_hashes (month, account_id, resource_id, code, run, hash) FORMAT Native
