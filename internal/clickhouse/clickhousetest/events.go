package clickhousetest

import (
	"context"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/reckon-billing/reckon/ingest"
	"github.com/reckon-billing/reckon/schemas"
)

// Noon is some instant.
func Noon() time.Time { return time.Date(2026, 10, 15, 12, 0, 0, 0, time.UTC) }

// Dec is the number of a text.
func Dec(t *testing.T, s string) decimal.Decimal {
	t.Helper()
	d, err := decimal.NewFromString(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// UsageEvent is a usage event of bytes that came in the topic billing.usage.
func UsageEvent(account, resource, id string, at time.Time, offset int64) Carried {
	return Accepted(schemas.Event{
		Source: "test", ID: id, Type: schemas.UsageRecorded, AccountID: account, ResourceID: resource, Time: at,
		Usage: schemas.Usage{Item: "bytes", Value: decimal.NewFromInt(1)},
	}, "billing.usage", offset)
}

// LifecycleEvent is one without data, in the topic billing.lifecycle.
func LifecycleEvent(kind schemas.Type, account, resource, id string, at time.Time, offset int64) Carried {
	return Accepted(schemas.Event{
		Source: "test", ID: id, Type: kind, AccountID: account, ResourceID: resource, Time: at,
	}, "billing.lifecycle", offset)
}

// Accepted is an event in a message of partition 0, as many seconds after Noon as
// its offset says.
func Accepted(e schemas.Event, topic string, offset int64) Carried {
	return Carried{Event: e, Message: schemas.Message{
		Position: schemas.Position{Topic: topic, Offset: offset},
		Time:     Noon().Add(time.Duration(offset) * time.Second), Key: []byte(e.AccountID), Value: []byte(`{"raw":true}`),
	}}
}

// Carried is an event with the message that carried it.
type Carried struct {
	Event   schemas.Event
	Message schemas.Message
}

// InsertEvents stores events as one batch.
func InsertEvents(ctx context.Context, s ingest.Sink, events ...Carried) error {
	batch := s.Open()
	for i := range events {
		if err := batch.Accept(&events[i].Event, &events[i].Message); err != nil {
			return err
		}
	}
	return batch.Store(ctx)
}

// InsertRejects stores messages that are no events as one batch.
func InsertRejects(ctx context.Context, s ingest.Sink, letters ...ingest.Rejected) error {
	batch := s.Open()
	for i := range letters {
		if err := batch.Reject(&letters[i].Message, &letters[i].Rejection); err != nil {
			return err
		}
	}
	return batch.Store(ctx)
}

// Store is [InsertEvents].
func Store(t *testing.T, s ingest.Sink, rows ...Carried) {
	t.Helper()
	if err := InsertEvents(t.Context(), s, rows...); err != nil {
		t.Fatal(err)
	}
}

// Everything is the cutoff of all that the tests store.
func Everything() schemas.Cutoff {
	return schemas.NewCutoff([]schemas.PartitionEnd{
		{Topic: "billing.lifecycle", Partition: 0, End: 1 << 40}, {Topic: "billing.usage", Partition: 0, End: 1 << 40},
	})
}

// Collect reads a cursor to its end.
func Collect[T any](t *testing.T, cursor interface {
	Next() (*T, error)
	Close() error
}, err error,
) []T {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cursor.Close() }()
	var all []T
	for {
		row, err := cursor.Next()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, *row)
	}
}
