INSERT INTO identities (identity, content)
