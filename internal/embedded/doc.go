// Package embedded runs the two servers that reckon needs, without a server:
// a Kafka broker in this process and ClickHouse in a child process of our own
// binary. Every layer above meets them on loopback ports, as it would meet the
// real ones.
//
// It owns a data folder: one process at a time (a lock), the broker's log, the
// engine's tables and the password. It does not make topics, databases or
// further users.
//
// What holds:
//   - Two processes never use one folder (the broker would corrupt its log).
//   - A record or row that was acknowledged survives a kill -9.
//   - The engine is gone soon after its parent, however the parent went: it
//     lives only while the parent holds the other end of its standard input.
//   - A dead engine is started again on the same ports, with back-off.
//   - Only loopback is listened on, and nobody gets in without the password.
package embedded
