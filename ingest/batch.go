package ingest

import (
	"slices"
	"sync/atomic"
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
	// Memory is shared by all batches of the process; nil sets no limit.
	Memory *Memory
}

// patience is how many times its age a batch may get while the log has enough to
// fill it: few large batches are what a partition catches up by, and what lies
// further behind is late anyway.
const patience = 4

// Memory bounds what the batches of a process hold together. Nobody waits for
// room, so nobody can wait for ever: when there is no more, the batches that have
// their share are cut.
type Memory struct {
	// Bytes is the bound; what is held exceeds it by a fetch of each partition at
	// most, and by what those below their share still take.
	Bytes int64

	held, batches atomic.Int64
}

// hold counts bytes more of a batch that had some before.
func (m *Memory) hold(before, more int) {
	if m == nil {
		return
	}
	if before == 0 && more > 0 {
		m.batches.Add(1)
	}
	m.held.Add(int64(more))
}

// release counts a batch no more.
func (m *Memory) release(bytes int) {
	if m == nil || bytes == 0 {
		return
	}
	m.batches.Add(-1)
	m.held.Add(int64(-bytes))
}

// short tells whether a batch of so many bytes has to go.
func (m *Memory) short(bytes int) bool {
	return m != nil && m.held.Load() >= m.Bytes && int64(bytes)*max(1, m.batches.Load()) >= m.Bytes
}

// cause says why a batch was cut.
type cause string

const (
	byRows   cause = "rows"
	byBytes  cause = "bytes"
	byAge    cause = "age"
	byMemory cause = "memory"
	// byIdle cuts a batch without messages: the log has moved past records that
	// are no messages, and the committed offset has to follow.
	byIdle cause = "idle"
)

// causes lists every cause, for the metrics.
func causes() []cause { return []cause{byRows, byBytes, byAge, byMemory, byIdle} }

// messageOverhead is what a message takes beside its bytes, roughly: the event's
// columns.
const messageOverhead = 320

// batch counts the messages gathered since the last flush and knows where the log
// stands behind them. It does no I/O and has no clock, so that every rule about
// cutting is a table test.
type batch struct {
	accepted int
	// rejected are kept for their copies; their bytes are their own.
	rejected []Rejected
	bytes    int
	// held is how many of the bytes Memory knows of.
	held int
	// since is when the first message was added.
	since time.Time
	// next is the offset to commit once the messages are stored.
	next int64
}

// rows counts the messages.
func (b *batch) rows() int { return b.accepted + len(b.rejected) }

// add counts a message, and keeps why it was rejected, if it was.
func (b *batch) add(m *schemas.Message, why *schemas.Rejection, now time.Time) {
	if b.rows() == 0 {
		b.since = now
	}
	b.bytes += messageOverhead + len(m.Key) + len(m.Value)
	for i := range m.Headers {
		b.bytes += len(m.Headers[i].Key) + len(m.Headers[i].Value)
	}
	if why == nil {
		b.accepted++
	} else {
		b.rejected = append(b.rejected, Rejected{Message: kept(m), Rejection: *why})
	}
	b.advance(m.Offset + 1)
}

// kept is a message that outlives its fetch.
func kept(m *schemas.Message) schemas.Message {
	k := *m
	k.Key, k.Value, k.Headers = slices.Clone(m.Key), slices.Clone(m.Value), slices.Clone(m.Headers)
	for i := range k.Headers {
		k.Headers[i].Value = slices.Clone(k.Headers[i].Value)
	}
	return k
}

// advance notes how far the log was read. It never goes back.
func (b *batch) advance(next int64) { b.next = max(b.next, next) }

// full says why the batch takes no further message, "" if it does.
func (b *batch) full(limits *Limits) cause {
	switch {
	case b.rows() >= limits.Rows:
		return byRows
	case limits.Bytes > 0 && b.bytes >= limits.Bytes:
		return byBytes
	}
	return ""
}

// due says why the batch has to be cut now, "" if it need not be. Committed is
// the offset that is known to be committed, -1 for none; waiting is how many more
// messages the log is known to have at hand.
func (b *batch) due(now time.Time, limits *Limits, committed, waiting int64) cause {
	age, most := now.Sub(b.since), limits.Age
	if waiting >= int64(limits.Rows-b.rows()) {
		most *= patience
	}
	switch rows := b.rows(); {
	case rows == 0 && b.next > committed:
		return byIdle
	case rows == 0:
		return ""
	case b.full(limits) != "":
		return b.full(limits)
	case age >= most:
		return byAge
	case limits.Memory.short(b.bytes):
		return byMemory
	}
	return ""
}

// deadline is until when to wait for the next message.
func (b *batch) deadline(now time.Time, limits *Limits) time.Time {
	if b.rows() == 0 {
		return now.Add(limits.Age)
	}
	return b.since.Add(limits.Age)
}

// hold lets Memory know of what was added.
func (b *batch) hold(m *Memory) {
	m.hold(b.held, b.bytes-b.held)
	b.held = b.bytes
}

// reset empties the batch after it was stored and committed, or given up.
func (b *batch) reset(m *Memory) {
	m.release(b.held)
	*b = batch{next: b.next}
}
