INSERT INTO month_hashes (month, run, invoices, hash) FORMAT Native
