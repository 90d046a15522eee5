// Package invoicer turns ended months into invoices that never change again,
// and settles late events by adjustments (contract sections 4 and 5).
//
// It owns what is due and not sealed, the order of writes (the run with its
// cutoff first, lines next, headers after them, the seal last), and what is
// parked. It does not own periods and quantities (aggregate) or the arithmetic
// of a price (rating).
//
// The words for time: a run is noted at CreatedAt, its cutoff is where the log
// ended then, a month is due once it has ended and the grace has passed, and
// SealedAt is when the work was done.
//
// Invariants:
//   - a run that is repeated, killed or doubled writes the same rows, each once,
//     since everything follows from the run as it was written down;
//   - after each run the sum of all invoices of a line is what the events before
//     its cutoff price to;
//   - an account that breaks is parked and named; the others go on.
package invoicer
