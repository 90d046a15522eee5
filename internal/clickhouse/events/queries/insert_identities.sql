INSERT INTO identities (identity, content) SETTINGS optimize_on_insert = 0, materialize_statistics_on_insert = 0 FORMAT Native
