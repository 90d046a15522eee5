package kafka

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/reckon-billing/reckon/ingest"
	"github.com/reckon-billing/reckon/internal/kafka/records"
	"github.com/reckon-billing/reckon/schemas"
)

// maxMessages is how many messages Fetch gives at most; a header counts as one.
const maxMessages = 16 << 10

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

	// fetched reads what the last fetch brought, which lies in answer; unread tells that
	// there is more of it. Asked is the offset that was asked for.
	fetched *records.Reader
	answer  []byte
	unread  bool
	asked   int64
	// batch is the one that is being read, while within tells so.
	batch  records.Batch
	within bool
	// queue holds the messages that are the caller's until the next Fetch; where kept
	// is set, their bytes are it for good.
	queue []schemas.Message
	kept  bool
	// next is the offset after all that was read, end the last stable offset.
	next, end int64
	aborted   aborts
}

var _ ingest.Source = (*Partition)(nil)

// fetcher asks a broker once.
type fetcher interface {
	// fetch may put the answer into a buffer that is handed to it, which is the
	// fetcher's for good after an error.
	fetch(ctx context.Context, topic string, partition int32, offset int64, wait time.Duration, into []byte) (*answer, error)
}

// partition stands at an offset of a partition, all before which was read.
func (c *Client) partition(f fetcher, at schemas.PartitionEnd) *Partition {
	return &Partition{
		Log: at.Log, Topic: at.Topic, ID: at.Partition, fetcher: f, now: c.config.Now,
		fetched: records.NewReader(c.unpacking), next: at.End, end: at.End,
	}
}

// Fetch gives the next messages; see ingest.Source. At least one request is made
// even when until has passed, unless an earlier one has brought more than was given.
func (p *Partition) Fetch(ctx context.Context, until time.Time) ([]schemas.Message, error) {
	p.queue = p.queue[:0]
	p.fetched.Free(p.kept)
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

// close lets go of what other partitions could use.
func (p *Partition) close() { p.fetched.Close() }

// fill queues what was fetched before, or fetches once and queues what came.
func (p *Partition) fill(ctx context.Context, wait time.Duration) error {
	if p.unread {
		if err := p.unpack(ctx, wait); err != nil || p.unread || len(p.queue) > 0 {
			return err
		}
	}
	into := p.answer[:0]
	if p.answer = nil; cap(into) > 2*maxFetchBytes {
		into = nil // one large batch is no reason to hold so much
	}
	got, err := p.fetcher.fetch(ctx, p.Topic, p.ID, p.next, wait, into)
	if err != nil {
		return err
	}
	p.answer, p.asked, p.unread = got.buffer, p.next, len(got.set) > 0
	p.end = max(p.end, got.stable)
	if !p.unread {
		return nil // nothing there, or a throttled broker
	}
	p.aborted.learn(got.aborted)
	p.fetched.Reset(got.set)
	return p.unpack(ctx, wait)
}

// unpack queues messages until there is no room for more, or all was read. What comes
// before an error is given: the next fetch meets it again.
func (p *Partition) unpack(ctx context.Context, wait time.Duration) error {
	err := p.take(ctx, wait)
	if err == nil {
		return nil
	}
	p.fetched.Reset(nil)
	p.unread, p.within = false, false
	if len(p.queue) > 0 {
		return nil
	}
	return fmt.Errorf("read %s/%d from offset %d: %w", p.Topic, p.ID, p.next, err)
}

func (p *Partition) take(ctx context.Context, wait time.Duration) error {
	for room := maxMessages; room > 0; {
		if !p.within {
			if more, err := p.begin(); !more {
				return err
			}
			continue
		}
		m, err := p.message()
		switch {
		case err == nil && m != nil:
			room -= 1 + len(m.Headers)
		case err == nil:
		case errors.Is(err, io.EOF):
			// Compaction may have left nothing of the batch's end.
			p.next, p.within = max(p.next, p.batch.Last+1), false
		case errors.Is(err, records.ErrFull) && len(p.queue) > 0:
			return nil
		case errors.Is(err, records.ErrFull) && ctx.Err() == nil:
			p.fetched.Free(p.kept) // what took the room was no message of ours
		case errors.Is(err, records.ErrLarge):
			if len(p.queue) > 0 {
				wait = 0 // there is something to give meanwhile
			}
			if turn, err := p.fetched.Enlarge(ctx, wait); !turn {
				return err
			}
		default:
			return errors.Join(err, context.Cause(ctx))
		}
	}
	return nil
}

// begin goes on to the next batch of which something is to be read.
func (p *Partition) begin() (more bool, err error) {
	b, err := p.fetched.Batch()
	switch {
	case errors.Is(err, io.EOF) && p.next > p.asked:
		p.unread = false
		return false, nil
	case errors.Is(err, io.EOF):
		return false, errors.New("what the broker sent holds nothing of it")
	case err != nil:
		return false, err
	case b.Transactional && !b.Control && p.aborted.has(b.Producer, b.First):
		p.next = max(p.next, b.Last+1)
		return true, nil
	}
	p.batch, p.within = b, b.Last >= p.next
	return true, nil
}

// message queues the next message of the batch: nil for what is none.
func (p *Partition) message() (*schemas.Message, error) {
	last := len(p.queue)
	p.queue = append(p.queue, schemas.Message{})
	m := &p.queue[last]
	err := p.fetched.Message(m)
	if err == nil && p.batch.Control {
		err = p.marker(m)
	}
	// A batch comes whole although the fetch began in its middle.
	if err != nil || p.batch.Control || m.Offset < p.next {
		p.queue = p.queue[:last]
		return nil, err
	}
	m.Log, m.Topic, m.Partition = p.Log, p.Topic, p.ID
	p.next = m.Offset + 1
	return m, nil
}

// marker passes a transaction marker: its key is a version and a type.
func (p *Partition) marker(m *schemas.Message) error {
	if len(m.Key) < 4 {
		return fmt.Errorf("transaction marker at offset %d: its key is %x", m.Offset, m.Key)
	}
	if binary.BigEndian.Uint16(m.Key[2:]) == abortMarker {
		p.aborted.end(p.batch.Producer, m.Offset)
	}
	p.next = max(p.next, m.Offset+1)
	return nil
}
