// Package column is a driver for ClickHouse that reads and writes by column: it keeps
// the connections, streams the blocks of a query and the rows of a small one, inserts
// blocks, and joins inserts that wait for each other (group commit). It is the only user
// of clickhouse-go, and of ch-go where rows are many, and knows nothing of what is
// stored.
//
// Invariants:
//   - what was acknowledged is stored: inserts are never asynchronous;
//   - SQL stands in .sql files beside who asks, values only in bound parameters;
//   - a decimal that a column cannot hold is an error, never cut;
//   - a read that failed is an error, never an early end; io.EOF is said of the end
//     alone;
//   - a server that says nothing while it owes an answer is given up.
package column
