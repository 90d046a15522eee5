// Package kafka is the log: topics, offsets, the consumer group that ingest runs
// on, and a producer. It is the only user of kafka-go.
//
// It owns how a partition is read (as committed: aborted transactions and
// markers are left out here; the bytes of batches are for package records), who
// reads it (the group protocol), and that a committed offset never goes back. It
// does not own what a message means, nor when an offset may be committed.
//
// Invariants:
//   - a partition is read without a gap: an offset that the log no longer has is
//     an error that names it, never a reset;
//   - one commit is in flight at a time (J2), and only while the partition is
//     ours; nothing that was fetched before a rebalance comes after it (J1), since
//     each generation reads anew from what is committed;
//   - a message's timestamp, key, value and headers are those in the log; of one that
//     is too large to be held there is the head, and it says so (O4).
package kafka
