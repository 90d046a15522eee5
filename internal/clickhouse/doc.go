// Package clickhouse keeps what reckon knows in ClickHouse, by the driver column. It
// implements what ingest, aggregate and invoicer ask of a store.
//
// Invariants:
//   - what was acknowledged is stored: tables are synced to disk;
//   - every insert may be repeated: rows that are written twice have the same
//     sort key and every reader makes them one. No result relies on a merge, and
//     on a deduplication token only which of two runners that race for a run's
//     number wins;
//   - SQL stands in the .sql files of queries/, values only in bound parameters;
//   - a time that a column cannot hold is an error, never cut.
package clickhouse
