package kafka

import (
	"context"
	"errors"
	"testing"

	kafkago "github.com/segmentio/kafka-go"

	"github.com/reckon-billing/reckon/schemas"
)

// fakeGeneration records commits.
type fakeGeneration struct {
	commits []map[string]map[int]int64
	err     error
	busy    chan struct{}
	t       *testing.T
}

func (g *fakeGeneration) CommitOffsets(offsets map[string]map[int]int64) error {
	select {
	case g.busy <- struct{}{}:
	default:
		g.t.Error("two commits in flight")
	}
	g.commits = append(g.commits, offsets)
	<-g.busy
	return g.err
}

// TestACommit guards J2 and the fencing of members that were too slow.
func TestACommit(t *testing.T) {
	start := func() (*fakeGeneration, func(context.Context, int64) error) {
		g := &fakeGeneration{busy: make(chan struct{}, 1), t: t}
		return g, (&committer{gen: g}).partition(schemas.PartitionEnd{Topic: "t", Partition: 3, End: 10})
	}
	t.Run("goes forward", func(t *testing.T) {
		g, commit := start()
		if err := errors.Join(commit(t.Context(), 10), commit(t.Context(), 12)); err != nil {
			t.Error(err)
		}
		if len(g.commits) != 2 || g.commits[1]["t"][3] != 12 {
			t.Errorf("committed %v", g.commits)
		}
	})
	t.Run("never goes back", func(t *testing.T) {
		g, commit := start()
		if err := commit(t.Context(), 9); err == nil || len(g.commits) != 0 {
			t.Errorf("committed %v with error %v", g.commits, err)
		}
	})
	t.Run("is not tried after the generation has ended", func(t *testing.T) {
		g, commit := start()
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(ErrLost)
		if err := commit(ctx, 12); !errors.Is(err, ErrLost) || len(g.commits) != 0 {
			t.Errorf("committed %v with error %v", g.commits, err)
		}
	})
	t.Run("that the group refuses tells that the partition is lost", func(t *testing.T) {
		for _, code := range []kafkago.Error{kafkago.IllegalGeneration, kafkago.UnknownMemberId, kafkago.RebalanceInProgress} {
			g, commit := start()
			g.err = code
			if err := commit(t.Context(), 12); !errors.Is(err, ErrLost) || !errors.Is(err, code) {
				t.Errorf("%v became %v", code, err)
			}
		}
	})
	t.Run("that fails otherwise is an error, and may be tried again", func(t *testing.T) {
		g, commit := start()
		g.err = errors.New("boom")
		if err := commit(t.Context(), 12); !errors.Is(err, g.err) || errors.Is(err, ErrLost) {
			t.Errorf("got %v", err)
		}
		g.err = nil
		if err := commit(t.Context(), 11); err != nil {
			t.Errorf("a commit after a failed one: %v", err)
		}
	})
	t.Run("waits for the one under way", func(t *testing.T) {
		g := &fakeGeneration{busy: make(chan struct{}, 1), t: t}
		all := &committer{gen: g}
		done := make(chan error)
		for id := range 8 {
			commit := all.partition(schemas.PartitionEnd{Topic: "t", Partition: int32(id), End: -1})
			go func() {
				var err error
				for next := range 50 {
					err = errors.Join(err, commit(t.Context(), int64(next)))
				}
				done <- err
			}()
		}
		for range 8 {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		if len(g.commits) != 400 {
			t.Errorf("%d commits, want 400", len(g.commits))
		}
	})
}
