// Package codec reads bytes as events and writes events as bytes: the strict
// parser, the fast one that agrees with it, the canonical form that the store
// keeps, numbers and times (contract 2).
//
// It is pure. What is not a whole, valid event is refused here, once, with a
// reason of [Reasons], so that the stages can trust what they are handed.
//
// Invariants:
//   - what [FastParser] accepts, [Parser] accepts as an equal event;
//   - [SetData] takes exactly what [AppendData] writes;
//   - no number goes through a binary float, and none is rounded.
package codec
