package clickhouse

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"maps"
	"time"

	"github.com/ClickHouse/ch-go/proto"
	driver "github.com/ClickHouse/clickhouse-go/v2"
	"golang.org/x/sync/errgroup"

	"github.com/reckon-billing/reckon/ingest"
	"github.com/reckon-billing/reckon/schemas"
)

var _ ingest.Sink = (*Store)(nil)

// batchRows is a batch in columns. It implements ingest.Rows.
type batchRows struct {
	store   *Store
	events  *eventRows
	letters *letterRows
}

// Open begins a batch, as [ingest.Sink] says. A batch that comes again as it was is
// dropped by its deduplication token if it was stored by itself; one that was
// stored together with others, or was cut elsewhere, is stored twice and made one
// by every reader.
func (s *Store) Open() ingest.Rows { return &batchRows{store: s} }

// rows counts them.
func (b *batchRows) rows() (n int) {
	if b.events != nil {
		n += b.events.rows()
	}
	if b.letters != nil {
		n += len(b.letters.offsets)
	}
	return n
}

// Accept adds an event; see [ingest.Rows].
func (b *batchRows) Accept(e *schemas.Event, m *schemas.Message) error {
	if b.events == nil {
		b.events = b.store.inserts.events()
	}
	return b.events.add(e, m)
}

// Reject adds a message that is no event; see [ingest.Rows].
func (b *batchRows) Reject(m *schemas.Message, why *schemas.Rejection) error {
	if b.letters == nil {
		b.letters = b.store.inserts.letters()
	}
	b.letters.add(m, why)
	return nil
}

// Store stores the batch; see [ingest.Rows].
func (b *batchRows) Store(ctx context.Context) error {
	if b.events == nil && b.letters == nil {
		return nil
	}
	if err := b.store.inserts.join(ctx, b, b.store.insertJoined); err != nil {
		return err
	}
	b.store.inserts.recycle(b)
	return nil
}

// insertJoined stores the rejects of batches and, beside them, the events, before
// those their identities: a crash in between may leave too many of them, never too
// few.
func (s *Store) insertJoined(ctx context.Context, batches []*batchRows) error {
	var letters, events, identities []proto.Input
	rejected, accepted := sha256.New(), sha256.New()
	for _, b := range batches {
		if b.letters != nil {
			letters = append(letters, b.letters.all)
			rejected.Write(b.letters.digest.Sum(nil))
		}
		if b.events != nil {
			events, identities = append(events, b.events.all), append(identities, b.events.short)
			accepted.Write(b.events.sum())
		}
	}
	all, ctx := errgroup.WithContext(ctx)
	if len(letters) > 0 {
		all.Go(func() error {
			return s.insertIngested(ctx, rejected, []string{"insert_dead_letters"}, letters)
		})
	}
	if len(events) > 0 {
		all.Go(func() error {
			return s.insertIngested(ctx, accepted, []string{"insert_identities", "insert_events"}, identities, events)
		})
	}
	return all.Wait()
}

// insertIngested carries out inserts one after the other, all under one token.
func (s *Store) insertIngested(ctx context.Context, token hash.Hash, queries []string, blocks ...[]proto.Input) error {
	settings := insertSettings(hex.EncodeToString(token.Sum(nil)))
	maps.Copy(settings, ingestSettings())
	return s.withWriter(ctx, func(ctx context.Context, w *writer) error {
		for i, query := range queries {
			if err := w.insertBlocks(ctx, query, settings, blocks[i]); err != nil {
				return err
			}
		}
		return nil
	})
}

// ingestSettings make an insert cheap for a server that has much to merge.
func ingestSettings() driver.Settings {
	return driver.Settings{
		// Rows of equal keys are made one while inserting otherwise, as a merge would.
		// Here are none, or hardly any, and readers take what there is.
		"optimize_on_insert": 0,
		// Merges make them.
		"materialize_statistics_on_insert": 0,
	}
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
