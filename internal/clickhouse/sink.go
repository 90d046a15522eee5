package clickhouse

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/reckon-billing/reckon/ingest"
	"github.com/reckon-billing/reckon/schemas"
)

var _ ingest.Sink = (*Store)(nil)

// Insert stores the rejects of a batch in dead_letters, then its events in
// events and before them in identities, as [ingest.Sink] says. A batch that comes again as it was is dropped
// by its deduplication token; one that was cut elsewhere is stored twice and
// made one by every reader.
func (s *Store) Insert(ctx context.Context, batch ingest.Batch) error {
	if len(batch.Rejected) > 0 {
		if err := s.insertRejected(ctx, batch.Rejected); err != nil {
			return fmt.Errorf("store %d rejects: %w", len(batch.Rejected), err)
		}
	}
	if len(batch.Accepted) > 0 {
		if err := s.insertAccepted(ctx, batch.Accepted); err != nil {
			return fmt.Errorf("store %d events: %w", len(batch.Accepted), err)
		}
	}
	return nil
}

// insertAccepted stores the identities first: a crash in between may leave too
// many, never too few.
func (s *Store) insertAccepted(ctx context.Context, rows []ingest.Accepted) error {
	return s.withWriter(ctx, func(ctx context.Context, w *writer) error {
		if w.events == nil {
			w.events = newEventRows()
		}
		w.events.reset()
		for i := range rows {
			if err := w.events.add(&rows[i]); err != nil {
				return err
			}
		}
		token := w.events.token()
		if err := w.insert(ctx, "insert_identities", token, w.events.short); err != nil {
			return err
		}
		return w.insert(ctx, "insert_events", token, w.events.all)
	})
}

func (s *Store) insertRejected(ctx context.Context, rows []ingest.Rejected) error {
	n := len(rows)
	var (
		keys, values     = make([][]byte, n), make([][]byte, n)
		reasons, details = make([]string, n), make([]string, n)
		where            = newPositions(n)
		headers          = newHeaders(n)
		digest           = sha256.New()
		buffer           []byte
	)
	for i := range rows {
		m, r := &rows[i].Message, &rows[i].Rejection
		keys[i], values[i], reasons[i], details[i] = m.Key, m.Value, r.Reason, r.Detail
		headers.add(m.Headers)
		where.add(m)
		buffer = append(appendMessage(buffer[:0], m), m.Value...)
		digest.Write(append(buffer, r.Reason...))
	}
	return s.insert(ctx, "insert_dead_letters", hex.EncodeToString(digest.Sum(nil)),
		where.topics, where.partitions, where.offsets, where.times, keys, values,
		headers.keys, headers.values, reasons, details)
}

// positions are the columns that say where each message lay.
type positions struct {
	topics     []string
	partitions []int32
	offsets    []int64
	times      []int64
}

func newPositions(n int) positions {
	return positions{make([]string, 0, n), make([]int32, 0, n), make([]int64, 0, n), make([]int64, 0, n)}
}

func (p *positions) add(m *schemas.Message) {
	p.topics = append(p.topics, m.Topic)
	p.partitions = append(p.partitions, m.Partition)
	p.offsets = append(p.offsets, m.Offset)
	p.times = append(p.times, kafkaMillis(m.Time))
}

// noTimestamp is kafka_ms of a message without a timestamp, as Kafka has it.
const noTimestamp = -1

// kafkaMillis is kafka_ms of a message's time. Producers may write any
// timestamp, so the column holds all of them: one that could not be stored would
// stop its partition for ever.
func kafkaMillis(at time.Time) int64 {
	if at.IsZero() {
		return noTimestamp
	}
	return at.UnixMilli()
}

// kafkaTime is the opposite of kafkaMillis.
func kafkaTime(ms int64) time.Time {
	if ms == noTimestamp {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// headerColumns are the headers of each message, keys and values apart.
type headerColumns struct{ keys, values [][]string }

func newHeaders(n int) headerColumns {
	return headerColumns{make([][]string, 0, n), make([][]string, 0, n)}
}

func (h *headerColumns) add(headers []schemas.Header) {
	var keys, values []string
	for _, header := range headers {
		keys, values = append(keys, header.Key), append(values, string(header.Value))
	}
	h.keys, h.values = append(h.keys, keys), append(h.values, values)
}
