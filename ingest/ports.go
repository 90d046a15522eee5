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
	// Fetch gives the next message, in the order of offsets. When there is none
	// it returns ErrIdle, at the latest shortly after until. Any other error
	// means that the partition can no longer be read from here on.
	Fetch(ctx context.Context, until time.Time) (schemas.Message, error)
	// Progress tells how far Fetch has come. Every message before next has been
	// given; next may lie past the last one, where the log holds only what is no
	// message. End is the last stable offset as last heard; next <= end.
	Progress() (next, end int64)
	// Commit marks everything before next as done. After nil a new reader of the
	// group begins at next or later. After an error it may or may not.
	Commit(ctx context.Context, next int64) error
}

// Accepted is a valid event with the message that carried it.
type Accepted struct {
	Event   schemas.Event
	Message schemas.Message
}

// Rejected is a message that is not an event, its bytes untouched.
type Rejected struct {
	Message   schemas.Message
	Rejection schemas.Rejection
}

// Batch is what is stored at once. Its messages are of one partition, their
// offsets ascending.
type Batch struct {
	Accepted []Accepted
	Rejected []Rejected
}

// Rows counts the messages of the batch.
func (b *Batch) Rows() int { return len(b.Accepted) + len(b.Rejected) }

// Sink stores a batch.
//
// After nil every event and every reject of the batch is stored. After an error
// nothing, a part, or all of it may be; the same messages come again, perhaps
// cut differently, and storing them again must change no result.
type Sink interface {
	Insert(ctx context.Context, batch Batch) error
}

// DeadLetters takes copies of rejects for whoever watches for them. The store
// has them already: it is the record, and a copy may repeat.
//
// After nil every copy was written. After an error some may be; the same
// messages come again.
type DeadLetters interface {
	Copy(ctx context.Context, rejected []Rejected) error
}
