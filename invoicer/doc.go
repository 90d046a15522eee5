// Package invoicer turns ended months into invoices that never change again,
// and settles late events by adjustments (contract sections 4 and 5).
//
// It owns what is due and not sealed, the order of writes, and what is parked. It
// does not own periods and quantities (aggregate) or the arithmetic of a price
// (rating).
//
// A run writes in this order (run.go), and each step is stored before the next:
//
//   - the run itself, with its cutoff;
//   - which resources late events touch;
//   - batch by batch, what it issues: anomalies, periods, lines and snapshots, then what
//     proves the invoices, then their headers. An account's headers come only once all of
//     the account is written, and an invoice exists from its header on;
//   - that all anomalies are told, and the seal, with the accounts that are parked.
//
// The words for what is done: it notes a cutoff, records a run and carries it out;
// that issues invoices and, where late events changed sealed months, settles by
// adjustments; what gathered is flushed batch by batch; at the end the month is sealed.
// A command is a session: it looks into the books, carries out what stands there
// undone, records the next run and looks again, until nothing is next.
//
// The words for time: a run is noted at CreatedAt, its cutoff is where the log
// ended then, a month is due once it has ended and the grace has passed, and
// SealedAt is when the work was done.
//
// Invariants:
//   - a run that is repeated, killed or doubled writes the same rows, each once,
//     since everything follows from the run as it was written down;
//   - a run is carried out after all runs before it, and recorded by who has seen
//     them all: so whatever commands run at once, the runs are those of one runner;
//   - nothing that a run writes is ever removed, but rows that a broken attempt left
//     and that its mended account does not come to;
//   - after each run the sum of all invoices of a line is what the events before
//     its cutoff price to;
//   - an account that breaks is parked and named; the others go on.
package invoicer
