package ingest

import (
	"context"
	"errors"
	"time"

	"github.com/reckon-billing/reckon/schemas"
)

// ErrIdle says that the log had no further message until the time asked for.
var ErrIdle = errors.New("no message yet")

// Source is one partition of the log, read as committed.
type Source interface {
	// Fetch gives the next messages, one at least, in the order of offsets. They
	// and their bytes are the caller's until the next Fetch. When there is none it
	// returns ErrIdle, at the latest shortly after until. Any other error means that
	// the partition can no longer be read from here on.
	Fetch(ctx context.Context, until time.Time) ([]schemas.Message, error)
	// Progress tells how far Fetch has come. Every message before next has been
	// given; next may lie past the last one, where the log holds only what is no
	// message. End is the last stable offset as last heard; next <= end.
	Progress() (next, end int64)
	// Confirm makes sure that all that was fetched so far is of the log that the
	// partition was of at first: what it returns is no failure of reading, but says
	// that another log is there.
	Confirm(ctx context.Context) error
	// Commit marks everything before next as done, for whoever looks at the group: it
	// decides nothing.
	Commit(ctx context.Context, next int64) error
}

// Notes is where is noted how far the partition is stored (contract 2).
type Notes interface {
	// Note notes that everything before the offset is stored, after it is; seen is the
	// last stable offset. An error means that it may not be noted, and that the
	// partition has to be read again from where the store says.
	Note(ctx context.Context, to, seen int64) error
}

// Rejected is a message that is not an event, its bytes untouched.
type Rejected struct {
	Message   schemas.Message
	Rejection schemas.Rejection
}

// Sink is the store.
type Sink interface {
	// Open begins a batch.
	Open() Rows
}

// Rows is a batch that is gathered in the form in which the store takes it, one
// message at a time. Its messages are of one partition, their offsets ascending.
// One goroutine uses it.
type Rows interface {
	// Accept adds a valid event with the message that carried it, and keeps neither
	// of them. An error means that the store has no room for such an event, ever.
	Accept(e *schemas.Event, m *schemas.Message) error
	// Reject adds a message that is not an event, and keeps nothing of it.
	Reject(m *schemas.Message, why *schemas.Rejection) error
	// Store stores the batch.
	//
	// After nil every event and every reject is stored, and the batch is empty and
	// may be filled anew. After an error nothing, a part, or all of it may be stored,
	// and the batch is not used again; the same messages come again, perhaps cut
	// differently, and storing them again must change no result.
	Store(ctx context.Context) error
}

// DeadLetters takes copies of rejects for whoever watches for them. The store
// has them already: it is the record, and a copy may repeat.
//
// After nil every copy was written, or is noted as owed. After an error some may be;
// the same messages come again.
type DeadLetters interface {
	Copy(ctx context.Context, rejected []Rejected) error
}
