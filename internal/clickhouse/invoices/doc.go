// Package invoices keeps what runs have issued: periods, lines, headers, the hashes that
// prove them, item-minutes, and the snapshots that the next run begins with; and what runs
// and surveys tell of events that bill nothing.
//
// Invariants:
//   - an invoice exists when its header is stored: lines come first;
//   - every insert may be repeated, and none has a deduplication token: rows that are
//     written twice have the same sort key and every reader makes them one;
//   - what a run wrote without a header is forgotten before it writes again.
package invoices
