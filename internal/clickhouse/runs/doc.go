// Package runs keeps the run log of invoicer: runs with their cutoffs, seals, the hashes
// of months, and which resources late events touch.
//
// Invariants:
//   - one insert into one table, with its number as deduplication token, decides who has
//     a number; should two rows ever be there, every reader takes the same one;
//   - what is written again is the same: it follows from the run's cutoff and from what
//     is stored.
package runs
