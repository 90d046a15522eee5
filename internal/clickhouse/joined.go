package clickhouse

import (
	"context"
	"sync"
)

// inserts joins the batches that wait while another insert is under way into one:
// to the server few large parts are worth much more than many small ones, and
// partitions that lag fill theirs at the same time.
type inserts struct {
	mu sync.Mutex
	// next are the batches that wait for the turn, nil for none.
	next *joined
	// turn is held by the insert that is under way. There is one at a time: two
	// would be of half the rows each.
	turn chan struct{}

	eventPool, letterPool, slabPool sync.Pool
}

// joined are batches that are inserted together.
type joined struct {
	batches []*batchRows
	done    chan struct{}
	err     error
}

func newInserts() *inserts {
	q := &inserts{turn: make(chan struct{}, 1)}
	q.slabPool.New = func() any { return new(slab) }
	q.eventPool.New = func() any { return newEventRows(&q.slabPool) }
	q.letterPool.New = func() any { return newLetterRows() }
	return q
}

// join inserts a batch, together with those that come while it waits for the turn.
// Whoever was the first to wait inserts them all; the others are told how that
// ended, and wait for it in any case, since their columns are being sent.
func (q *inserts) join(ctx context.Context, b *batchRows, insert func(context.Context, []*batchRows) error) error {
	q.mu.Lock()
	j, first := q.next, q.next == nil
	if first {
		j = &joined{done: make(chan struct{})}
		q.next = j
	}
	j.batches = append(j.batches, b)
	q.mu.Unlock()
	if !first {
		<-j.done
		return j.err
	}
	defer close(j.done)
	select {
	case q.turn <- struct{}{}:
		defer func() { <-q.turn }()
	case <-ctx.Done():
		j.err = context.Cause(ctx)
	}
	q.mu.Lock()
	q.next = nil // whoever comes from now on waits for the next turn
	q.mu.Unlock()
	if j.err == nil {
		j.err = insert(ctx, j.batches)
	}
	return j.err
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
