// Package schemas is the vocabulary of reckon: events, items, reconciliation
// periods, lines, invoices, runs, and the identities of each (contract 1, 2, 5.3
// and 6). How they are written and read as bytes is package codec's.
//
// It is pure: no clock, context, network or log.
//
// Invariants:
//   - every time is a UTC instant in whole milliseconds; every duration that is
//     billed is in whole minutes;
//   - every price, quantity and value has at most 9 decimals, every percent at
//     most 4, every amount of money the decimals of the currency;
//   - identities are derived, never drawn.
package schemas
