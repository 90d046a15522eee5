// Package aggregate turns the stored events of each resource into
// reconciliation periods with quantities (contract sections 2, 3 and 8).
//
// It owns which copy of an event counts, the lifecycle state table, the rule
// that gives each minute to one configuration, and the meters. It does not own
// prices, coupon shares or what was invoiced before.
//
// The data moves through the files in this order: copies.go picks the copies
// that count, lifecycle.go folds a resource's events into spans of
// configuration, minutes.go cuts the spans into whole minutes and months,
// usage.go places usage in them, meters.go measures it, and derive.go reads the
// streams and hands out one resource after the other.
//
// Invariants:
//   - what comes out is a function of the set of a resource's events (and its
//     account's mode changes), whatever order and batches they came in;
//   - periods of a resource never overlap;
//   - a month derived from the state at its edge equals the month derived from
//     all events.
package aggregate
