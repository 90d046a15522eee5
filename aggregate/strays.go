package aggregate

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/reckon-billing/reckon/schemas"
)

// FindStrays begins to look for stray copies: of one identity, inside the plan's cutoff,
// and different in account, resource, time, sequence or kind. What it returns waits for
// the answer, for Derivation.Strays; nil when there are none. It is there to be
// called, if only after the context was canceled.
//
// Every identity of the history is asked for, which takes as long as folding a month
// of a young history does; hardly ever is there any. So whoever derives may do that
// meanwhile, as if there were none.
func (d *Deriver) FindStrays(ctx context.Context, plan schemas.Derivation) (wait func() (schemas.StrayWinner, error)) {
	var (
		done   = make(chan struct{})
		strays schemas.StrayWinner
		err    error
	)
	go func() {
		defer close(done)
		strays, err = d.strays(ctx, plan)
	}()
	return func() (schemas.StrayWinner, error) {
		<-done
		return strays, err
	}
}

// strays reads the stray copies; nil when there are none.
func (d *Deriver) strays(ctx context.Context, plan schemas.Derivation) (schemas.StrayWinner, error) {
	copies, err := d.Source.Strays(ctx, plan.Run.Cutoff)
	if err != nil {
		return nil, fmt.Errorf("find stray copies: %w", err)
	}
	defer func() { _ = copies.Close() }() // what matters came from Next
	rank, best := rankingOf(plan), map[schemas.Hash]StrayCopy{}
	for {
		m, err := copies.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("read stray copies: %w", err)
		}
		b, seen := best[m.Identity]
		if !seen || rank.compare(m.KafkaTime, m.Position, b.KafkaTime, b.Position) < 0 {
			best[m.Identity] = *m
		}
	}
	if len(best) == 0 {
		return nil, nil
	}
	return func(identity schemas.Hash) (schemas.Position, bool) {
		m, stray := best[identity]
		return m.Position, stray
	}, nil
}
