// Package aggregate streams what is stored of each account into its fold, and hands out
// what each resource comes to: periods with quantities, and snapshots (contract
// sections 2, 3 and 8). The fold itself is package fold.
//
// It owns which copy of an event counts, which streams are read for a month, and what
// happens where a snapshot counts as absent. It does not own prices, coupon shares or
// what was invoiced before.
//
// The data moves through the files in this order: derive.go says which portions of the
// resources are derived from which events, feed.go reads the streams of one side by
// side, copies.go and strays.go pick the copies that count, and rederive.go derives from
// full history what has no snapshot that can be read.
//
// Invariants:
//   - what comes out is a function of the set of a resource's events (and its
//     account's mode changes), whatever order and batches they came in;
//   - a month derived from the snapshot at its start equals the month derived from
//     full history.
package aggregate
