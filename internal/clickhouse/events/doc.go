// Package events keeps the log of events: it is the sink of ingest, the source of
// aggregate, and knows what became of every message.
//
// Invariants:
//   - no event is ever stored without its identity;
//   - a batch may be stored twice: rows that are written twice have the same sort key,
//     and every reader makes them one;
//   - events of a month are read in the order of the fold as they lie, without sorting;
//     which copy counts is for aggregate to say;
//   - a message is kept with all its bytes and any timestamp, whatever became of it.
package events
