-- What ingest stores beside the events of a month.
INSERT INTO identities (identity, content)
SELECT reinterpretAsUInt64(substring(identity, 1, 8)), reinterpretAsUInt64(substring(content, 1, 8))
FROM events
WHERE offset >= {{.Offset}}
