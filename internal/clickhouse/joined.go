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
	// next are the batches that wait for a turn, nil for none.
	next  *joined
	turns chan struct{}

	eventPool, letterPool sync.Pool
}

// joined are batches that are inserted together.
type joined struct {
	batches []*batchRows
	done    chan struct{}
	err     error
}

// insertTurns is how many inserts go at once: while the server writes one to
// disk, it takes the other.
const insertTurns = 2

func newInserts() *inserts {
	return &inserts{
		turns:      make(chan struct{}, insertTurns),
		eventPool:  sync.Pool{New: func() any { return newEventRows() }},
		letterPool: sync.Pool{New: func() any { return newLetterRows() }},
	}
}

// join inserts a batch, together with those that come while it waits for a turn.
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
	case q.turns <- struct{}{}:
		defer func() { <-q.turns }()
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
		q.eventPool.Put(b.events)
	}
	if b.letters != nil {
		q.letterPool.Put(b.letters)
	}
	b.events, b.letters = nil, nil
}
