// Package records reads what a fetch brought: batches of messages, packed as their
// producers chose, one message after the other.
//
// It owns the bytes of Kafka's batches, old message sets among them, and how they are
// unpacked. It does not own where they come from, which of them are committed, or what
// a message means.
//
// Invariants:
//   - a batch is unpacked as a stream. What a [Reader] takes is bounded whatever a
//     producer packed (O4): windowBytes, or one message of up to MaxBytes; what the
//     packing's own format needs, up to smallBytes; more than that is lent to one
//     Reader of a [Pool] at a time;
//   - a message that is larger than MaxBytes is known by its length: its head is
//     kept, and it says how much is not;
//   - a batch whose checksum is wrong, or that ends before its last message, is an
//     error and never an early end.
package records
