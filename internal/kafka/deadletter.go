package kafka

import (
	"context"
	"errors"
	"fmt"
	"strconv"
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
	// HeaderOmitted is there if the message was too large to be copied: the number
	// of bytes of key, value and headers that only the store has.
	HeaderOmitted = "reckon_omitted_bytes"
)

// maxCopyBytes is the largest message that is copied whole.
const maxCopyBytes = 3 << 20

// DeadLetters copies rejects to a topic. It implements ingest.DeadLetters.
type DeadLetters struct {
	Producer *Producer
	Topic    string
	// Now is the timestamp of the copies: the message's own may be one that the
	// broker refuses, and a copy must not hold up ingest.
	Now func() time.Time
}

var _ ingest.DeadLetters = (*DeadLetters)(nil)

// Copy writes a copy of each reject; see ingest.DeadLetters.
func (d *DeadLetters) Copy(ctx context.Context, rejected []ingest.Rejected) error {
	copies, now := make([]schemas.Message, len(rejected)), d.Now()
	for i := range rejected {
		copies[i] = d.letter(&rejected[i], size(&rejected[i].Message) > maxCopyBytes, now)
	}
	_, err := d.Producer.Produce(ctx, copies)
	if !errors.Is(err, kafkago.MessageSizeTooLarge) && !errors.Is(err, kafkago.RecordListTooLarge) {
		return err
	}
	// A topic that takes less than ours: one by one, to find out which it takes.
	for i := range rejected {
		_, err := d.Producer.Produce(ctx, copies[i:i+1])
		if errors.Is(err, kafkago.MessageSizeTooLarge) || errors.Is(err, kafkago.RecordListTooLarge) {
			_, err = d.Producer.Produce(ctx, []schemas.Message{d.letter(&rejected[i], true, now)})
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
	if omit {
		letter.Headers = append(headers, schemas.Header{Key: HeaderOmitted, Value: strconv.AppendInt(nil, int64(size(m)), 10)})
		return letter
	}
	letter.Key, letter.Value, letter.Headers = m.Key, m.Value, append(headers, m.Headers...)
	return letter
}
