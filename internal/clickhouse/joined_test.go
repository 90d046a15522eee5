package clickhouse

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
)

// TestBatchesThatWaitForTheTurnAreInsertedTogetherOnce: the first by itself, the
// others in one insert, and all hear how theirs ended.
func TestBatchesThatWaitForTheTurnAreInsertedTogetherOnce(t *testing.T) {
	const batches = 50
	q, failure := newInserts(), errors.New("refused")
	var (
		all             sync.WaitGroup
		calls, inserted atomic.Int64
		came            = make(chan struct{}, batches)
		goOn            = make(chan struct{})
		told            atomic.Int64
	)
	insert := func(_ context.Context, joined []*batchRows) error {
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
			switch err := q.join(t.Context(), &batchRows{}, insert); {
			case errors.Is(err, failure):
				told.Add(1)
			case err != nil:
				t.Error(err)
			}
		})
	}
	join()
	<-came // it has the turn: whoever comes now waits
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
	if inserted.Load() != batches+1 || calls.Load() != 2 || told.Load() != batches {
		t.Errorf("%d batches in %d inserts, %d told of the failure; want %d in 2, %d told",
			inserted.Load(), calls.Load(), told.Load(), batches+1, batches)
	}
}

func TestABatchThatIsNotWantedAnyMoreDoesNotWaitForTheTurn(t *testing.T) {
	q := newInserts()
	q.turn <- struct{}{}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	never := func(context.Context, []*batchRows) error { return errors.New("inserted") }
	if err := q.join(ctx, &batchRows{}, never); !errors.Is(err, context.Canceled) {
		t.Errorf("ended by %v", err)
	}
	<-q.turn
	// Nothing is left behind for the next one.
	err := q.join(t.Context(), &batchRows{}, func(_ context.Context, joined []*batchRows) error {
		if len(joined) != 1 {
			t.Errorf("%d batches joined, want 1", len(joined))
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}
