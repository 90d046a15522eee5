INSERT INTO identities (identity, content) FORMAT Native
