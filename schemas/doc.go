// Package schemas is the vocabulary of reckon: events and their strict parsing,
// items, reconciliation periods, lines, invoices, and the identities and
// canonical forms of each (contract sections 1, 2, 5.3 and 6).
//
// It is pure: no clock, context, network or log. What is not a whole, valid
// value is refused here, once, so that the stages can trust what they are handed.
//
// Invariants:
//   - every time is a UTC instant in whole milliseconds; every duration that is
//     billed is in whole minutes;
//   - every price, quantity and value has at most 9 decimals, every percent at
//     most 4, every amount of money the decimals of the currency;
//   - identities are derived, never drawn.
package schemas
