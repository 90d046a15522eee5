package clickhouse

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"
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

func (s *Store) insertAccepted(ctx context.Context, rows []ingest.Accepted) error {
	n := len(rows)
	var (
		accounts, resources  = make([]string, n), make([]string, n)
		sources, ids         = make([]string, n), make([]string, n)
		types, items         = make([]string, n), make([]string, n)
		data, raw            = make([]string, n), make([][]byte, n)
		identities, contents = make([][]byte, n), make([][]byte, n)
		short, shortContents = make([]uint64, n), make([]uint64, n)
		times, sequences     = make([]time.Time, n), make([]int64, n)
		usage                = make([]bool, n)
		values               = quantities("value", n)
		where                = newPositions(n)
		headers              = newHeaders(n)
		token                = newToken()
		hashes               = make([]schemas.Hash, 2*n)
		buffer               []byte
	)
	for i := range rows {
		e, m := &rows[i].Event, &rows[i].Message
		hashes[2*i], hashes[2*i+1] = schemas.Identity(e.Source, e.ID), e.Content()
		identities[i], contents[i] = hashes[2*i][:], hashes[2*i+1][:]
		short[i] = binary.LittleEndian.Uint64(identities[i])
		shortContents[i] = binary.LittleEndian.Uint64(contents[i])
		accounts[i], resources[i], times[i], sequences[i] = e.AccountID, e.ResourceID, e.Time, e.Sequence
		sources[i], ids[i], types[i], items[i], raw[i] = e.Source, e.ID, string(e.Type), e.Item, m.Value
		usage[i] = e.Type == schemas.UsageRecorded
		if !usage[i] {
			buffer = e.AppendData(buffer[:0])
			data[i] = string(buffer)
		}
		values.add(e.Value)
		headers.add(m.Headers)
		where.add(m)
		token.message(m)
		token.Write(identities[i])
		token.Write(contents[i])
	}
	if err := values.err; err != nil {
		return err
	}
	// First the identities: a crash in between may leave too many, never too few.
	if err := s.insert(ctx, "insert_identities", token.String(), short, shortContents); err != nil {
		return err
	}
	return s.insert(ctx, "insert_events", token.String(),
		accounts, resources, times, sequences, sources, ids, usage, types, items, values.values, data,
		identities, contents, where.topics, where.partitions, where.offsets, where.times, raw,
		headers.keys, headers.values)
}

func (s *Store) insertRejected(ctx context.Context, rows []ingest.Rejected) error {
	n := len(rows)
	var (
		keys, values     = make([][]byte, n), make([][]byte, n)
		reasons, details = make([]string, n), make([]string, n)
		where            = newPositions(n)
		headers          = newHeaders(n)
		token            = newToken()
	)
	for i := range rows {
		m, r := &rows[i].Message, &rows[i].Rejection
		keys[i], values[i], reasons[i], details[i] = m.Key, m.Value, r.Reason, r.Detail
		headers.add(m.Headers)
		where.add(m)
		token.message(m)
		token.Write(m.Value)
		token.Write([]byte(r.Reason))
	}
	return s.insert(ctx, "insert_dead_letters", token.String(),
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

// rowsToken is the digest of the rows of an insert. Where the messages lie is
// not enough: a topic that was made anew has the same offsets with other bytes,
// and the server drops an insert with a known token without a word.
type rowsToken struct{ hash.Hash }

func newToken() rowsToken { return rowsToken{sha256.New()} }

func (t rowsToken) message(m *schemas.Message) {
	var b [28]byte
	binary.BigEndian.PutUint64(b[:], uint64(len(m.Topic)))
	binary.BigEndian.PutUint32(b[8:], uint32(m.Partition))         //nolint:gosec // its bits
	binary.BigEndian.PutUint64(b[12:], uint64(m.Offset))           //nolint:gosec // its bits
	binary.BigEndian.PutUint64(b[20:], uint64(m.Time.UnixMilli())) //nolint:gosec // its bits
	t.Write(b[:])
	t.Write([]byte(m.Topic))
}

func (t rowsToken) String() string { return hex.EncodeToString(t.Sum(nil)) }
