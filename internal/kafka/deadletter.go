package kafka

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	kafkago "github.com/segmentio/kafka-go"

	"github.com/reckon-billing/reckon/ingest"
	"github.com/reckon-billing/reckon/schemas"
)

// The headers of a dead letter's copy, before those of the message itself.
const (
	HeaderTopic     = "reckon_topic"
	HeaderPartition = "reckon_partition"
	HeaderOffset    = "reckon_offset"
	// HeaderTimestamp is the message's own, in Unix milliseconds; absent if it had
	// none.
	HeaderTimestamp = "reckon_timestamp_ms"
	HeaderReason    = "reckon_reason"
	HeaderDetail    = "reckon_detail"
	// HeaderOmitted is there if the message was too large to be copied, or to be held:
	// the number of bytes of key, value and headers that only the store has, or of the
	// latter only the log.
	HeaderOmitted = "reckon_omitted_bytes"
)

// maxCopyBytes is the largest message that is copied whole.
const maxCopyBytes = 3 << 20

// DeadLetters copies rejects to a topic, which need not be there: it connects when
// there is something to copy, and anew after a failure. It implements
// ingest.DeadLetters, for several goroutines. Close it after use.
type DeadLetters struct {
	Client *Client
	Topic  string
	// Now is the timestamp of the copies: the message's own may be one that the
	// broker refuses, and a copy must not hold up ingest.
	Now func() time.Time

	mu       sync.Mutex
	producer *Producer // nil: to be connected
}

var _ ingest.DeadLetters = (*DeadLetters)(nil)

// Copy writes a copy of each reject; see ingest.DeadLetters. An error says that some
// are not written.
func (d *DeadLetters) Copy(ctx context.Context, rejected []ingest.Rejected) error {
	p, err := d.connect(ctx)
	if err != nil {
		return fmt.Errorf("connect for dead letters: %w", err)
	}
	if err := d.copy(ctx, p, rejected); err != nil {
		d.forget(p) // it may know of a topic that is gone
		return err
	}
	return nil
}

func (d *DeadLetters) connect(ctx context.Context) (*Producer, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.producer != nil {
		return d.producer, nil
	}
	var err error
	d.producer, err = d.Client.NewProducer(ctx, d.Topic)
	return d.producer, err
}

func (d *DeadLetters) forget(p *Producer) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.producer == p {
		d.producer = nil
	}
	p.Close()
}

// Close lets go of the connections.
func (d *DeadLetters) Close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.producer != nil {
		d.producer.Close()
		d.producer = nil
	}
}

func (d *DeadLetters) copy(ctx context.Context, p *Producer, rejected []ingest.Rejected) error {
	copies, now := make([]schemas.Message, len(rejected)), d.Now()
	for i := range rejected {
		copies[i] = d.letter(&rejected[i], size(&rejected[i].Message) > maxCopyBytes, now)
	}
	_, err := p.Produce(ctx, copies)
	if !errors.Is(err, kafkago.MessageSizeTooLarge) && !errors.Is(err, kafkago.RecordListTooLarge) {
		return err
	}
	// A topic that takes less than ours: one by one, to find out which it takes.
	for i := range rejected {
		_, err := p.Produce(ctx, copies[i:i+1])
		if errors.Is(err, kafkago.MessageSizeTooLarge) || errors.Is(err, kafkago.RecordListTooLarge) {
			_, err = p.Produce(ctx, []schemas.Message{d.letter(&rejected[i], true, now)})
		}
		if err != nil {
			at := rejected[i].Message.Position
			return fmt.Errorf("copy %s/%d@%d: %w", at.Topic, at.Partition, at.Offset, err)
		}
	}
	return nil
}

// letter is the copy of one reject.
func (d *DeadLetters) letter(r *ingest.Rejected, omit bool, now time.Time) schemas.Message {
	const ours = 7 // headers at most
	m := &r.Message
	headers := append(make([]schemas.Header, 0, ours+len(m.Headers)),
		schemas.Header{Key: HeaderTopic, Value: []byte(m.Topic)},
		schemas.Header{Key: HeaderPartition, Value: strconv.AppendInt(nil, int64(m.Partition), 10)},
		schemas.Header{Key: HeaderOffset, Value: strconv.AppendInt(nil, m.Offset, 10)},
		schemas.Header{Key: HeaderReason, Value: []byte(r.Rejection.Reason)},
		schemas.Header{Key: HeaderDetail, Value: []byte(r.Rejection.Detail)},
	)
	if !m.Time.IsZero() {
		headers = append(headers, schemas.Header{Key: HeaderTimestamp, Value: strconv.AppendInt(nil, m.Time.UnixMilli(), 10)})
	}
	letter := schemas.Message{Position: schemas.Position{Topic: d.Topic}, Time: now}
	omitted := m.Omitted
	if omit {
		omitted += int64(size(m))
	}
	if omitted > 0 {
		headers = append(headers, schemas.Header{Key: HeaderOmitted, Value: strconv.AppendInt(nil, omitted, 10)})
	}
	if omit {
		letter.Headers = headers
		return letter
	}
	letter.Key, letter.Value, letter.Headers = m.Key, m.Value, append(headers, m.Headers...)
	return letter
}
