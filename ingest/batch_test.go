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
		now       time.Time
		want      cause
	}{
		{name: "not while it is empty and nothing moved", next: 5, committed: 5, now: at(1e6), want: ""},
		{name: "by idleness when the log moved past records that are no messages", next: 6, committed: 5, now: at(0), want: byIdle},
		{name: "by idleness when nothing is known to be committed", next: 0, committed: -1, now: at(0), want: byIdle},
		{name: "not with a young message", messages: []schemas.Message{message(5, 1)}, next: 6, committed: 5, now: at(99), want: ""},
		{name: "by age of its first message", messages: []schemas.Message{message(5, 1)}, next: 6, committed: 5, now: at(100), want: byAge},
		{
			name:     "by rows, rejects counted too",
			messages: []schemas.Message{message(5, 1), message(6, 1), message(7, 1)}, rejects: 2,
			next: 8, committed: 5, now: at(0), want: byRows,
		},
		{name: "by bytes", messages: []schemas.Message{message(5, 9_488)}, next: 6, committed: 5, now: at(0), want: byBytes},
		{name: "not a byte early", messages: []schemas.Message{message(5, 9_487)}, next: 6, committed: 5, now: at(0), want: ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			var b batch
			for i, m := range c.messages {
				if i < c.rejects {
					b.reject(Rejected{Message: m}, at(i))
				} else {
					b.accept(Accepted{Message: m}, at(i))
				}
			}
			b.advance(c.next)
			if got := b.due(c.now, limits, c.committed); got != c.want {
				t.Errorf("due = %q, want %q", got, c.want)
			}
		})
	}
}

func TestABatchWaitsUntilItsFirstMessageIsOldEnough(t *testing.T) {
	limits := Limits{Rows: 10, Age: 100 * time.Millisecond}
	var b batch
	if got := b.deadline(at(7), limits); !got.Equal(at(107)) {
		t.Errorf("deadline of an empty batch is %v, want its age from now", got)
	}
	b.accept(Accepted{Message: message(1, 1)}, at(10))
	b.accept(Accepted{Message: message(2, 1)}, at(60))
	if got := b.deadline(at(70), limits); !got.Equal(at(110)) {
		t.Errorf("deadline is %v, want the first message's age", got)
	}
}

func TestABatchThatWasStoredStartsEmptyWhereTheLogStood(t *testing.T) {
	var b batch
	b.accept(Accepted{Message: message(1, 100)}, at(0))
	b.reject(Rejected{Message: message(2, 100)}, at(0))
	b.advance(3)
	stored := b.Batch
	b.reset()
	b.accept(Accepted{Message: message(9, 1)}, at(50))
	if stored.Accepted[0].Message.Offset != 1 || stored.Rejected[0].Message.Offset != 2 {
		t.Error("a batch that was handed over changed afterwards")
	}
	if b.Rows() != 1 || b.bytes != messageOverhead+1 || !b.since.Equal(at(50)) || b.next != 3 {
		t.Errorf("after the reset: %d rows, %d bytes, since %v, next %d", b.Rows(), b.bytes, b.since, b.next)
	}
	b.advance(2)
	if b.next != 3 {
		t.Errorf("next went back to %d", b.next)
	}
}
