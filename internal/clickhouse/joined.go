package clickhouse

import (
	"context"
	"sync"
)

// inserts joins the batches that wait while other inserts are under way into one:
// to the server few large parts are worth much more than many small ones, and
// partitions that lag fill theirs at the same time.
type inserts struct {
	mu sync.Mutex
	// next are the batches that wait for a turn and take others in, nil for none.
	next *joined
	// turns are held by the inserts that are under way.
	turns chan struct{}

	eventPool, letterPool, slabPool sync.Pool
}

// joined are batches that are inserted together.
type joined struct {
	batches []*batchRows
	rows    int
	done    chan struct{}
	err     error
}

const (
	// insertTurns is how many inserts go at once: while the server waits for its
	// disk with one, it works on the other.
	insertTurns = 2
	// enoughRows is when waiting batches take no other in. Were they all to go
	// together, every partition would wait for the server, and then the server for
	// them.
	enoughRows = 200_000
)

func newInserts() *inserts {
	q := &inserts{turns: make(chan struct{}, insertTurns)}
	q.slabPool.New = func() any { return new(slab) }
	q.eventPool.New = func() any { return newEventRows(&q.slabPool) }
	q.letterPool.New = func() any { return newLetterRows() }
	return q
}

// join inserts a batch, together with those that come while it waits for a turn.
// Whoever was the first to wait inserts them all; the others are told how that
// ended, and wait for it in any case, since their columns are being sent.
func (q *inserts) join(ctx context.Context, b *batchRows, insert func(context.Context, []*batchRows) error) error {
	j, first := q.enter(b)
	if !first {
		<-j.done
		return j.err
	}
	defer close(j.done)
	select {
	case q.turns <- struct{}{}:
		defer func() { <-q.turns }()
	case <-ctx.Done():
		j.err = context.Cause(ctx)
	}
	q.shut(j)
	if j.err == nil {
		j.err = insert(ctx, j.batches)
	}
	return j.err
}

// enter puts a batch to those that wait, or makes it the first of others.
func (q *inserts) enter(b *batchRows) (j *joined, first bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if first = q.next == nil || q.next.rows >= enoughRows; first {
		q.next = &joined{done: make(chan struct{})}
	}
	q.next.batches = append(q.next.batches, b)
	q.next.rows += b.rows()
	return q.next, first
}

// shut lets nobody in any more.
func (q *inserts) shut(j *joined) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.next == j {
		q.next = nil
	}
}

// events and letters are columns to fill, empty.
func (q *inserts) events() *eventRows {
	r, _ := q.eventPool.Get().(*eventRows)
	r.reset()
	return r
}

func (q *inserts) letters() *letterRows {
	r, _ := q.letterPool.Get().(*letterRows)
	r.reset()
	return r
}

// recycle takes the columns of a batch that is stored back.
func (q *inserts) recycle(b *batchRows) {
	if b.events != nil {
		b.events.reset() // its slabs may be of use to another at once
		q.eventPool.Put(b.events)
	}
	if b.letters != nil {
		q.letterPool.Put(b.letters)
	}
	b.events, b.letters = nil, nil
}
