package column

import (
	"context"
	"sync"
)

// GroupCommit joins the batches that wait while other inserts are under way into
// one: to the server few large parts are worth much more than many small ones, and
// who lags fills theirs at the same time.
type GroupCommit[B any] struct {
	mu sync.Mutex
	// next are the batches that wait for a turn and take others in, nil for none.
	next *group[B]
	// turns are held by the inserts that are under way.
	turns chan struct{}
}

// group is batches that are inserted together.
type group[B any] struct {
	batches []B
	rows    int
	done    chan struct{}
	err     error
}

const (
	// insertTurns is how many inserts go at once: while the server waits for its
	// disk with one, it works on the other.
	insertTurns = 2
	// enoughRows is when waiting batches take no other in. Were they all to go
	// together, everybody would wait for the server, and then the server for them.
	enoughRows = 200_000
)

// NewGroupCommit makes one for batches of one kind, safe for concurrent use.
func NewGroupCommit[B any]() *GroupCommit[B] {
	return &GroupCommit[B]{turns: make(chan struct{}, insertTurns)}
}

// Commit inserts a batch of so many rows, together with those that come while it
// waits for a turn. Whoever was the first to wait inserts them all; the others are
// told how that ended, and wait for it in any case, since their columns are being
// sent.
func (q *GroupCommit[B]) Commit(ctx context.Context, batch B, rows int, insert func(context.Context, []B) error) error {
	g, first := q.enter(batch, rows)
	if !first {
		<-g.done
		return g.err
	}
	defer close(g.done)
	select {
	case q.turns <- struct{}{}:
		defer func() { <-q.turns }()
	case <-ctx.Done():
		g.err = context.Cause(ctx)
	}
	q.shut(g)
	if g.err == nil {
		g.err = insert(ctx, g.batches)
	}
	return g.err
}

// enter puts a batch to those that wait, or makes it the first of others.
func (q *GroupCommit[B]) enter(batch B, rows int) (g *group[B], first bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if first = q.next == nil || q.next.rows >= enoughRows; first {
		q.next = &group[B]{done: make(chan struct{})}
	}
	q.next.batches = append(q.next.batches, batch)
	q.next.rows += rows
	return q.next, first
}

// shut lets nobody in any more.
func (q *GroupCommit[B]) shut(g *group[B]) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.next == g {
		q.next = nil
	}
}
