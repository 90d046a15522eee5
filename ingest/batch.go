package ingest

import (
	"time"

	"github.com/reckon-billing/reckon/schemas"
)

// Limits say when a batch is cut: whichever comes first.
type Limits struct {
	// Rows and Bytes cut a batch that has at least so many messages or bytes of
	// messages. Bytes 0 sets no limit.
	Rows, Bytes int
	// Age cuts a batch this long after its first message; it is also how long an
	// idle partition is waited for at a time.
	Age time.Duration
}

// DefaultLimits are good for a store that likes few, large inserts: at most
// 64 MiB of messages held per partition, and a second between the log and the
// store.
func DefaultLimits() Limits { return Limits{Rows: 50_000, Bytes: 64 << 20, Age: time.Second} }

// cause says why a batch was cut.
type cause string

const (
	byRows  cause = "rows"
	byBytes cause = "bytes"
	byAge   cause = "age"
	// byIdle cuts a batch without messages: the log has moved past records that
	// are no messages, and the committed offset has to follow.
	byIdle cause = "idle"
)

// causes lists every cause, for the metrics.
func causes() []cause { return []cause{byRows, byBytes, byAge, byIdle} }

// messageOverhead is what a message takes beside its bytes, roughly: the structs
// of message and event.
const messageOverhead = 512

// batch is the messages gathered since the last flush and where the log stands
// behind them. It does no I/O and has no clock, so that every rule about cutting
// is a table test.
type batch struct {
	Batch
	bytes int
	// since is when the first message was added.
	since time.Time
	// next is the offset to commit once the messages are stored.
	next int64
}

// accept adds an event.
func (b *batch) accept(a Accepted, now time.Time) {
	b.begin(&a.Message, now)
	b.Accepted = append(b.Accepted, a)
}

// reject adds a message that is no event.
func (b *batch) reject(r Rejected, now time.Time) {
	b.begin(&r.Message, now)
	b.Rejected = append(b.Rejected, r)
}

func (b *batch) begin(m *schemas.Message, now time.Time) {
	if b.Rows() == 0 {
		b.since = now
	}
	b.bytes += messageOverhead + len(m.Key) + len(m.Value)
	for i := range m.Headers {
		b.bytes += len(m.Headers[i].Key) + len(m.Headers[i].Value)
	}
}

// advance notes how far the log was read. It never goes back.
func (b *batch) advance(next int64) { b.next = max(b.next, next) }

// due says why the batch has to be cut now, "" if it need not be. Committed is
// the offset that is known to be committed, -1 for none.
func (b *batch) due(now time.Time, limits Limits, committed int64) cause {
	switch rows := b.Rows(); {
	case rows == 0 && b.next > committed:
		return byIdle
	case rows == 0:
		return ""
	case rows >= limits.Rows:
		return byRows
	case limits.Bytes > 0 && b.bytes >= limits.Bytes:
		return byBytes
	case now.Sub(b.since) >= limits.Age:
		return byAge
	}
	return ""
}

// deadline is until when to wait for the next message.
func (b *batch) deadline(now time.Time, limits Limits) time.Time {
	if b.Rows() == 0 {
		return now.Add(limits.Age)
	}
	return b.since.Add(limits.Age)
}

// reset empties the batch after it was stored and committed; the room is kept in
// size but not in memory, since a sink may still hold what it was given.
func (b *batch) reset() {
	accepted := make([]Accepted, 0, len(b.Accepted))
	*b = batch{Batch: Batch{Accepted: accepted}, next: b.next}
}
