// Package generate makes a believable cloud's months of events as the lines of a
// scenario file (contract 7), with the truth about every line: which event it
// carries, or that it is a copy, or that it cannot be read.
//
// It is deterministic: the same configuration gives the same bytes. Lines are
// made one at a time, so that memory grows with the number of resources and not
// with that of events. It imports the vocabulary only, and the truth does not
// come from parsing: it is what the line was written from.
//
// Invariants:
//   - of the copies of an event the one that comes first in the file counts: it
//     is the truth's event, and all later ones are told apart as duplicates and
//     conflicts, in the same topic under the same key;
//   - a month's seal comes after every event of the month, but for the late ones
//     that were asked for, which come right after the seal.
package generate
