package ingest

import (
	"testing"
	"time"

	"github.com/reckon-billing/reckon/schemas"
)

// at is a moment of the tests' clock.
func at(ms int) time.Time {
	return time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(ms) * time.Millisecond)
}

// message is one with a value of so many bytes.
func message(offset int64, size int) schemas.Message {
	return schemas.Message{Position: schemas.Position{Topic: "t", Offset: offset}, Value: make([]byte, size)}
}

func TestABatchIsDue(t *testing.T) {
	limits := Limits{Rows: 3, Bytes: 10_000, Age: 100 * time.Millisecond}
	for _, c := range []struct {
		name      string
		messages  []schemas.Message
		rejects   int // how many of them, from the front, are rejects
		next      int64
		committed int64
		waiting   int64
		now       time.Time
		want      cause
	}{
		{name: "not while it is empty and nothing moved", next: 5, committed: 5, now: at(1e6), want: ""},
		{name: "by idleness when the log moved past records that are no messages", next: 6, committed: 5, now: at(0), want: byIdle},
		{name: "by idleness when nothing is known to be committed", next: 0, committed: -1, now: at(0), want: byIdle},
		{name: "not with a young message", messages: []schemas.Message{message(5, 1)}, next: 6, committed: 5, now: at(99), want: ""},
		{name: "by age of its first message", messages: []schemas.Message{message(5, 1)}, next: 6, committed: 5, now: at(100), want: byAge},
		{
			name:     "by age when what waits does not fill it",
			messages: []schemas.Message{message(5, 1)}, next: 6, committed: 5, waiting: 1, now: at(100), want: byAge,
		},
		{
			name:     "not yet by age when what waits fills it",
			messages: []schemas.Message{message(5, 1)}, next: 6, committed: 5, waiting: 2, now: at(399), want: "",
		},
		{
			name:     "by four times its age although what waits would fill it",
			messages: []schemas.Message{message(5, 1)}, next: 6, committed: 5, waiting: 2, now: at(400), want: byAge,
		},
		{
			name:     "by rows, rejects counted too",
			messages: []schemas.Message{message(5, 1), message(6, 1), message(7, 1)}, rejects: 2,
			next: 8, committed: 5, now: at(0), want: byRows,
		},
		{name: "by bytes", messages: []schemas.Message{message(5, 10_000-messageOverhead)}, next: 6, committed: 5, now: at(0), want: byBytes},
		{name: "not a byte early", messages: []schemas.Message{message(5, 9_999-messageOverhead)}, next: 6, committed: 5, now: at(0), want: ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			var b batch
			for i, m := range c.messages {
				var why *schemas.Rejection
				if i < c.rejects {
					why = &schemas.Rejection{}
				}
				b.add(&m, why, at(i))
			}
			b.advance(c.next)
			if got := b.due(c.now, &limits, c.committed, c.waiting); got != c.want {
				t.Errorf("due = %q, want %q", got, c.want)
			}
		})
	}
}

func TestBatchesThatHaveTheirShareOfTheMemoryAreCutWhenThereIsNoMore(t *testing.T) {
	limits := Limits{Rows: 1_000, Age: time.Hour, Memory: &Memory{Bytes: 10_000}}
	due := func(b *batch) cause { return b.due(at(0), &limits, -1, 0) }
	fill := func(b *batch, bytes int) {
		m := message(1, bytes-messageOverhead)
		b.add(&m, nil, at(0))
		b.hold(limits.Memory)
	}
	var small, large batch
	fill(&small, 4_000)
	fill(&large, 5_999)
	if due(&small) != "" || due(&large) != "" {
		t.Error("a batch was cut a byte before the memory was full")
	}
	fill(&large, 1_000)
	if due(&small) != "" || due(&large) != byMemory {
		t.Errorf("with the memory full the small batch is due by %q, the large by %q", due(&small), due(&large))
	}
	large.reset(limits.Memory)
	fill(&small, 5_999)
	if due(&small) != "" {
		t.Error("what was given up still counts")
	}
	fill(&small, 1_000)
	if due(&small) != byMemory {
		t.Error("a batch that is alone was not cut with the memory full")
	}
	small.reset(limits.Memory)
	if held, batches := limits.Memory.held.Load(), limits.Memory.batches.Load(); held != 0 || batches != 0 {
		t.Errorf("%d bytes of %d batches are held by nobody", held, batches)
	}
}

func TestABatchWaitsUntilItsFirstMessageIsOldEnough(t *testing.T) {
	limits := Limits{Rows: 10, Age: 100 * time.Millisecond}
	var b batch
	if got := b.deadline(at(7), &limits); !got.Equal(at(107)) {
		t.Errorf("deadline of an empty batch is %v, want its age from now", got)
	}
	first, second := message(1, 1), message(2, 1)
	b.add(&first, nil, at(10))
	b.add(&second, nil, at(60))
	if got := b.deadline(at(70), &limits); !got.Equal(at(110)) {
		t.Errorf("deadline is %v, want the first message's age", got)
	}
}

func TestABatchThatWasStoredStartsEmptyWhereTheLogStood(t *testing.T) {
	var b batch
	accepted, rejected, later := message(1, 100), message(2, 100), message(9, 1)
	b.add(&accepted, nil, at(0))
	b.add(&rejected, &schemas.Rejection{}, at(0))
	if b.next != 3 {
		t.Errorf("next is %d after offset 2", b.next)
	}
	stored := b.rejected
	b.reset(nil)
	b.add(&later, &schemas.Rejection{}, at(50))
	if stored[0].Message.Offset != 2 {
		t.Error("rejects that were handed over changed afterwards")
	}
	if b.rows() != 1 || b.bytes != messageOverhead+1 || !b.since.Equal(at(50)) || b.next != 10 {
		t.Errorf("after the reset: %d rows, %d bytes, since %v, next %d", b.rows(), b.bytes, b.since, b.next)
	}
	b.advance(2)
	if b.next != 10 {
		t.Errorf("next went back to %d", b.next)
	}
}
