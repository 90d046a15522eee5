// Package fold folds the events of one account into reconciliation periods with
// quantities, anomalies and snapshots (contract sections 2, 3 and 8). It is pure:
// whoever reads the events, from a store or from a slice, hands over those that
// count, one by one and in order, and keeps none of them.
//
// It owns the lifecycle state table, the rule that gives each minute to one
// configuration, the meters, and the bytes of a snapshot. It does not own which copy
// of an event counts, prices, coupon shares or what was invoiced before.
//
// A [Fold] is opened over a [Window] of history; it has an [Account] each, which has a
// [Resource] each. The data moves through the files in this order: lifecycle.go folds a
// resource's events into spans of configuration, minutes.go cuts the spans into whole
// minutes and months, usage.go places usage in them, meters.go measures it, and
// snapshot.go says what a later month needs to know.
//
// Invariants:
//   - what comes out is a function of the events and the window alone;
//   - periods of a resource never overlap;
//   - a month folded from the snapshot where it begins equals the month folded from
//     full history.
package fold
