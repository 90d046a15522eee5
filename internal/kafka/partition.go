package kafka

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
	"github.com/segmentio/kafka-go/protocol/fetch"

	"github.com/reckon-billing/reckon/ingest"
	"github.com/reckon-billing/reckon/schemas"
)

const (
	// maxFetchBytes is how much a fetch asks for: some 15,000 compressed events. A
	// larger batch comes whole all the same.
	maxFetchBytes = 1 << 20
	// maxFetchWait is how long a broker may wait for something to give. It answers
	// at once when something comes, so a longer wait would not be slower; but a
	// request under way cannot be taken back.
	maxFetchWait = 500 * time.Millisecond
)

// Partition is one partition that is ours for a generation of the group. It
// implements ingest.Source and is used by one goroutine.
type Partition struct {
	// Log is the log's number, as in schemas.Position.
	Log   int32
	Topic string
	ID    int32

	fetcher fetcher
	now     func() time.Time
	commit  func(ctx context.Context, next int64) error
	confirm func(ctx context.Context) error

	// queue holds the messages of the last fetch, slab the bytes of their keys and
	// values.
	queue []schemas.Message
	slab  []byte
	// next is the offset after all that was fetched, end the last stable offset.
	next, end int64
	// step is how far past next the next fetch looks, to leave a gap behind.
	step    int64
	aborted aborts
}

var _ ingest.Source = (*Partition)(nil)

// fetcher asks a broker once.
type fetcher interface {
	fetch(ctx context.Context, topic string, partition int32, offset int64, wait time.Duration) (*fetch.ResponsePartition, error)
}

// Fetch gives the next messages; see ingest.Source. At least one request is made
// even when until has passed.
func (p *Partition) Fetch(ctx context.Context, until time.Time) ([]schemas.Message, error) {
	for first := true; ; first = false {
		wait := min(until.Sub(p.now()), maxFetchWait)
		if wait <= 0 && !first {
			return nil, ingest.ErrIdle
		}
		if err := p.fill(ctx, max(0, wait)); err != nil {
			return nil, err
		}
		if len(p.queue) > 0 {
			return p.queue, nil
		}
	}
}

// Progress tells how far Fetch has come; see ingest.Source.
func (p *Partition) Progress() (next, end int64) { return p.next, p.end }

// Confirm makes sure that what was fetched is of the partition's log; see ingest.Source.
func (p *Partition) Confirm(ctx context.Context) error { return p.confirm(ctx) }

// Commit commits for the group; see ingest.Source. It waits while another
// partition's commit is under way.
func (p *Partition) Commit(ctx context.Context, next int64) error { return p.commit(ctx, next) }

// fill fetches once and queues what came, in the place of what was there.
func (p *Partition) fill(ctx context.Context, wait time.Duration) error {
	p.queue, p.slab = p.queue[:0], p.slab[:0]
	asked := p.next + p.step
	res, err := p.fetcher.fetch(ctx, p.Topic, p.ID, asked, wait)
	if err != nil {
		return err
	}
	p.end = max(p.end, res.LastStableOffset)
	stream, _ := res.RecordSet.Records.(*protocol.RecordStream)
	if stream == nil || len(stream.Records) == 0 {
		// Nothing there, or a throttled broker: no reason to move, but none to go on
		// looking further ahead either.
		p.step = 0
		return nil
	}
	if first := base(stream.Records[0]); p.step > 0 && first > p.next {
		p.step = 0 // looked too far: what lies between was skipped, so look again
		return nil
	}
	p.aborted.learn(res.AbortedTransactions)
	before := p.next
	for _, batch := range stream.Records {
		if err := p.take(batch); err != nil {
			return fmt.Errorf("read %s/%d from offset %d: %w", p.Topic, p.ID, p.next, err)
		}
	}
	p.leap(before, asked)
	return nil
}

// leap leaves a gap that compaction made at the end of a batch. Asked lies in
// the first batch that came; if that brought nothing new, no message lies up to
// asked, and the next fetch looks further ahead each time.
func (p *Partition) leap(before, asked int64) {
	if p.next > before {
		p.step = 0
		return
	}
	p.next = asked + 1
	p.step = min(2*p.step+1, max(0, p.end-p.next-1))
}

// base is the first offset that a batch may hold.
func base(batch protocol.RecordReader) int64 {
	if b, ok := batch.(interface{ Offset() int64 }); ok {
		return b.Offset()
	}
	return 0
}

// take queues the messages of a batch, but those of aborted transactions.
func (p *Partition) take(batch protocol.RecordReader) error {
	p.next = max(p.next, base(batch))
	switch b := batch.(type) {
	case *protocol.ControlBatch:
		return p.marker(b)
	case *protocol.RecordBatch:
		return p.records(b, b.Attributes.Transactional() && p.aborted.has(b.ProducerID, b.BaseOffset))
	}
	return p.records(batch, false)
}

// marker passes a transaction marker.
func (p *Partition) marker(b *protocol.ControlBatch) error {
	for {
		r, err := b.ReadRecord()
		if errors.Is(err, errEndOfBatch) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("transaction marker: %w", err)
		}
		offset := r.Offset
		c, err := protocol.ReadControlRecord(r)
		if err != nil {
			return fmt.Errorf("transaction marker at offset %d: %w", offset, err)
		}
		if c.Type == abortMarker {
			p.aborted.end(b.ProducerID, offset)
		}
		p.next = max(p.next, offset+1)
	}
}

func (p *Partition) records(batch protocol.RecordReader, aborted bool) error {
	for {
		r, err := batch.ReadRecord()
		if errors.Is(err, errEndOfBatch) {
			return nil
		}
		if err != nil {
			return err
		}
		m, err := p.message(r)
		if err != nil {
			return fmt.Errorf("message at offset %d: %w", r.Offset, err)
		}
		// A batch comes whole although the fetch began in its middle.
		if m.Offset >= p.next {
			p.next = m.Offset + 1
			if !aborted {
				p.queue = append(p.queue, m)
			}
		}
	}
}

// message copies a record out of the fetched pages and lets go of them.
func (p *Partition) message(r *protocol.Record) (schemas.Message, error) {
	m := schemas.Message{Position: schemas.Position{Log: p.Log, Topic: p.Topic, Partition: p.ID, Offset: r.Offset}}
	// A message without a timestamp has -1.
	if ms := r.Time.UnixMilli(); ms >= 0 {
		m.Time = time.UnixMilli(ms).UTC()
	}
	var err error
	if m.Key, err = p.copied(r.Key); err != nil {
		return m, err
	}
	if m.Value, err = p.copied(r.Value); err != nil {
		return m, err
	}
	if len(r.Headers) > 0 {
		m.Headers = make([]schemas.Header, len(r.Headers))
		for i, h := range r.Headers {
			m.Headers[i] = schemas.Header(h)
		}
	}
	return m, nil
}

// copied gives nil for null and a slice, if empty, for anything else. Where the
// slab has to grow, what was copied before stays where it was.
func (p *Partition) copied(b protocol.Bytes) ([]byte, error) {
	if b == nil {
		return nil, nil
	}
	begin, end := len(p.slab), len(p.slab)+b.Len()
	p.slab = slices.Grow(p.slab, max(1, end-begin))[:end] // never nil
	value := p.slab[begin:end:end]
	_, err := io.ReadFull(b, value)
	return value, errors.Join(err, b.Close())
}

// fetch asks the partition's leader once, as committed.
func (s *session) fetch(
	ctx context.Context, topic string, partition int32, offset int64, wait time.Duration,
) (*fetch.ResponsePartition, error) {
	// kafka-go's Client.Fetch is not used: it keeps the list of aborted
	// transactions to itself, and leaves it to the client to skip them.
	res, err := s.request(ctx, &fetch.Request{
		ReplicaID: -1, MaxWaitTime: int32(wait / time.Millisecond), //nolint:gosec // a second or a few
		MinBytes: 1, MaxBytes: maxFetchBytes,
		IsolationLevel: int8(kafkago.ReadCommitted), SessionID: 0, SessionEpoch: -1,
		Topics: []fetch.RequestTopic{{Topic: topic, Partitions: []fetch.RequestPartition{{
			Partition: partition, CurrentLeaderEpoch: -1, FetchOffset: offset, LogStartOffset: -1,
			PartitionMaxBytes: maxFetchBytes,
		}}}},
	}, wait)
	if err != nil {
		return nil, fmt.Errorf("fetch %s/%d at offset %d: %w", topic, partition, offset, err)
	}
	answer := res.(*fetch.Response) //nolint:forcetypeassert // RoundTrip answers in kind
	code := answer.ErrorCode
	if code == 0 && (len(answer.Topics) != 1 || len(answer.Topics[0].Partitions) != 1) {
		return nil, fmt.Errorf("fetch %s/%d at offset %d: the broker's answer is of no such partition", topic, partition, offset)
	}
	if code == 0 {
		code = answer.Topics[0].Partitions[0].ErrorCode
	}
	switch {
	case code == 0:
		return &answer.Topics[0].Partitions[0], nil
	case kafkago.Error(code) == kafkago.OffsetOutOfRange:
		return nil, s.outOfRange(ctx, topic, partition, offset)
	}
	return nil, fmt.Errorf("fetch %s/%d at offset %d: %w", topic, partition, offset, kafkago.Error(code))
}

// outOfRange tells what the log still has. Going on from there in silence would
// leave events out of invoices.
func (s *session) outOfRange(ctx context.Context, topic string, partition int32, offset int64) error {
	one := map[string][]int{topic: {int(partition)}}
	first, err := s.offsets(ctx, one, kafkago.FirstOffset)
	if err != nil {
		return fmt.Errorf("%w (and its range is not known: %w)", kafkago.OffsetOutOfRange, err)
	}
	last, err := s.offsets(ctx, one, kafkago.LastOffset)
	if err != nil {
		return fmt.Errorf("%w (and its range is not known: %w)", kafkago.OffsetOutOfRange, err)
	}
	return fmt.Errorf("%s/%d has offsets %d to %d, and the group stands at %d: messages were deleted before they were read, "+
		"or the topic is another one: %w", topic, partition, first[0].End, last[0].End, offset, kafkago.OffsetOutOfRange)
}
