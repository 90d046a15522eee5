package invoicer

import (
	"context"
	"errors"

	"github.com/reckon-billing/reckon/schemas"
)

// search is the one for stray copies. It goes on while resources
// are derived and priced, as if there were none, and ends before the first of them is
// written.
type search struct {
	cancel context.CancelFunc
	wait   func() (schemas.StrayWinner, error)
}

// findStrays begins one for a run, which has to be stopped.
func (v *Invoicer) findStrays(ctx context.Context, d schemas.Derivation) *search {
	ctx, cancel := context.WithCancel(ctx)
	return &search{cancel, v.Periods.FindStrays(ctx, d)}
}

func (s *search) stop() {
	s.cancel()
	_, _ = s.wait() // whoever needed the answer has asked
}

// errStrays says that there are such copies, and all is to be derived again: what was
// derived as if there were none is void.
var errStrays = errors.New("there are stray copies")

// none waits until it is known that there are none.
func (s *search) none() error {
	strays, err := s.wait()
	if err == nil && strays != nil {
		err = errStrays
	}
	return err
}
