package column

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
)

// TestBatchesThatWaitForATurnAreInsertedTogetherOnce: each by itself while there
// are turns, the others in one insert, and all hear how theirs ended.
func TestBatchesThatWaitForATurnAreInsertedTogetherOnce(t *testing.T) {
	const batches = 50
	q, failure := NewGroupCommit[int](), errors.New("refused")
	var (
		all             sync.WaitGroup
		calls, inserted atomic.Int64
		came            = make(chan struct{}, batches)
		goOn            = make(chan struct{})
		told            atomic.Int64
	)
	insert := func(_ context.Context, joined []int) error {
		inserted.Add(int64(len(joined)))
		came <- struct{}{}
		<-goOn
		if calls.Add(1); len(joined) > 1 {
			return failure
		}
		return nil
	}
	join := func() {
		all.Go(func() {
			switch err := q.Commit(t.Context(), 1, 1, insert); {
			case errors.Is(err, failure):
				told.Add(1)
			case err != nil:
				t.Error(err)
			}
		})
	}
	for range insertTurns {
		join()
		<-came // it has its turn: whoever comes now waits
	}
	for range batches {
		join()
	}
	for waiting := 0; waiting < batches; {
		q.mu.Lock()
		if q.next != nil {
			waiting = len(q.next.batches)
		}
		q.mu.Unlock()
	}
	close(goOn)
	all.Wait()
	if inserted.Load() != batches+insertTurns || calls.Load() != insertTurns+1 || told.Load() != batches {
		t.Errorf("%d batches in %d inserts, %d told of the failure; want %d in %d, %d told",
			inserted.Load(), calls.Load(), told.Load(), batches+insertTurns, insertTurns+1, batches)
	}
}

func TestABatchThatIsNotWantedAnyMoreDoesNotWaitForATurn(t *testing.T) {
	q := NewGroupCommit[int]()
	for range insertTurns {
		q.turns <- struct{}{}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	never := func(context.Context, []int) error { return errors.New("inserted") }
	if err := q.Commit(ctx, 1, 1, never); !errors.Is(err, context.Canceled) {
		t.Errorf("ended by %v", err)
	}
	<-q.turns
	// Nothing is left behind for the next one.
	err := q.Commit(t.Context(), 1, 1, func(_ context.Context, joined []int) error {
		if len(joined) != 1 {
			t.Errorf("%d batches joined, want 1", len(joined))
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

func TestBatchesWithRowsEnoughTakeNoOtherIn(t *testing.T) {
	q := NewGroupCommit[int]()
	one, first := q.enter(1, 0)
	if same, again := q.enter(2, enoughRows); !first || again || same != one {
		t.Error("a batch that came while another waits did not join it")
	}
	two, first := q.enter(3, 0)
	if !first || two == one || len(one.batches) != 2 || len(two.batches) != 1 {
		t.Errorf("%d batches wait together, and then %d: want 2 and 1", len(one.batches), len(two.batches))
	}
	q.shut(one)
	if same, again := q.enter(4, 0); again || same != two {
		t.Error("shutting out of the earlier batches shut the later ones too")
	}
}
