package ingest

import (
	"context"

	"github.com/reckon-billing/reckon/schemas"
)

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

// Sink stores a batch.
//
// After nil every event and every reject of the batch is stored. After an error
// nothing, a part, or all of it may be; the same messages come again, perhaps
// cut differently, and storing them again must change no result.
type Sink interface {
	Insert(ctx context.Context, batch Batch) error
}
