// Package clickhouse keeps what reckon knows in ClickHouse, and is the only
// user of clickhouse-go, and of ch-go where rows are many: it reads and writes by
// column. It implements what ingest, aggregate and invoicer ask
// of a store.
//
// Invariants:
//   - what was acknowledged is stored: inserts are never asynchronous, and
//     tables are synced to disk;
//   - every insert may be repeated: rows that are written twice have the same
//     sort key and every reader makes them one. No result relies on a merge, and
//     on a deduplication token only which of two runners that race for a run's
//     number wins;
//   - SQL stands in the .sql files of queries/, values only in bound parameters;
//   - a decimal or a time that a column cannot hold is an error, never cut;
//   - a read that failed is an error, never an early end.
package clickhouse
