// Package ingest moves events from the log to the store, one partition at a
// time.
//
// It reads in one direction: fetch, parse, batch, insert, commit. It owns when a
// batch is cut, that a batch is stored before its offsets are committed, and
// what becomes of a message that is not an event. It does not own what an event
// is (schemas), where the log and the store are, or which copy of an event
// counts (the store removes repeats by identity).
//
// Invariants:
//   - a committed message is in the store, as an event or as a dead letter; a
//     crash at any line redelivers messages and never loses one;
//   - a message that is not an event never holds up its neighbours; a message
//     that could not be stored stops its partition;
//   - the committed offset reaches the partition's last stable offset also when
//     what lies before it is not a message (transaction markers, compacted gaps).
package ingest
