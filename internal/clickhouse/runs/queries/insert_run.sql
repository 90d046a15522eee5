INSERT INTO runs (number, kind, month, created_at, first_month, currency, zone, cutoff) FORMAT Native
