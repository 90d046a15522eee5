package events

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/reckon-billing/reckon/ingest"
	"github.com/reckon-billing/reckon/internal/clickhouse/column"
	"github.com/reckon-billing/reckon/schemas"
)

var _ ingest.Sink = (*Store)(nil)

// ingestion is what the batches of a store have in common: the columns that they
// fill are used again, and they are inserted together where they wait.
type ingestion struct {
	db              *column.DB
	commits         *column.GroupCommit[*batchRows]
	events, letters sync.Pool
}

func newIngestion(db *column.DB) *ingestion {
	q, arena := &ingestion{db: db, commits: column.NewGroupCommit[*batchRows]()}, column.NewArena()
	q.events.New = func() any { return newEventRows(arena) }
	q.letters.New = func() any { return newLetterRows() }
	return q
}

// batchRows is a batch in columns. It implements ingest.Rows.
type batchRows struct {
	of      *ingestion
	events  *eventRows
	letters *letterRows
}

// Open begins a batch, as [ingest.Sink] says. A batch that comes again as it was is
// dropped by its deduplication token if it was stored by itself; one that was
// stored together with others, or was cut elsewhere, is stored twice and made one
// by every reader.
func (s *Store) Open() ingest.Rows { return &batchRows{of: s.ingest} }

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
		b.events, _ = b.of.events.Get().(*eventRows)
		b.events.reset()
	}
	return b.events.add(e, m)
}

// Reject adds a message that is no event; see [ingest.Rows].
func (b *batchRows) Reject(m *schemas.Message, why *schemas.Rejection) error {
	if b.letters == nil {
		b.letters, _ = b.of.letters.Get().(*letterRows)
		b.letters.reset()
	}
	b.letters.add(m, why)
	return nil
}

// Store stores the batch; see [ingest.Rows].
func (b *batchRows) Store(ctx context.Context) error {
	if b.events == nil && b.letters == nil {
		return nil
	}
	if err := b.of.commits.Commit(ctx, b, b.rows(), b.of.insert); err != nil {
		return err
	}
	// Its columns are for others now.
	if b.events != nil {
		b.events.reset() // its slabs may be of use to another at once
		b.of.events.Put(b.events)
	}
	if b.letters != nil {
		b.of.letters.Put(b.letters)
	}
	b.events, b.letters = nil, nil
	return nil
}

// insert stores the rejects of batches and, beside them, the events, before those their
// identities: a crash in between may leave too many of them, never too few.
func (q *ingestion) insert(ctx context.Context, batches []*batchRows) error {
	// Rows of equal keys are made one while inserting otherwise, as a merge would. Here
	// are none, or hardly any, and readers take what there is. Merges make statistics.
	settings := column.Settings{"optimize_on_insert": 0, "materialize_statistics_on_insert": 0}
	letters := column.Insert{Table: "dead_letters", Settings: settings}
	identities, events := column.Insert{Table: "identities", Settings: settings}, column.Insert{Table: "events", Settings: settings}
	rejected, accepted := sha256.New(), sha256.New()
	for _, b := range batches {
		if b.letters != nil {
			letters.Blocks = append(letters.Blocks, b.letters.all)
			rejected.Write(b.letters.digest.Sum(nil))
		}
		if b.events != nil {
			events.Blocks, identities.Blocks = append(events.Blocks, b.events.all), append(identities.Blocks, b.events.short)
			accepted.Write(b.events.sum())
		}
	}
	all, ctx := errgroup.WithContext(ctx)
	if len(letters.Blocks) > 0 {
		all.Go(func() error { return q.db.Insert(ctx, hex.EncodeToString(rejected.Sum(nil)), letters) })
	}
	if len(events.Blocks) > 0 {
		all.Go(func() error { return q.db.Insert(ctx, hex.EncodeToString(accepted.Sum(nil)), identities, events) })
	}
	return all.Wait()
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
