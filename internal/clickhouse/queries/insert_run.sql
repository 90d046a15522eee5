INSERT INTO runs (number, month, created_at, first_month, currency, zone, cutoff) FORMAT Native
