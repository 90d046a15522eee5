package invoicer

import (
	"context"
	"errors"

	"github.com/reckon-billing/reckon/schemas"
)

// look is the search for copies of one event that lie apart. It goes on while
// resources are derived and priced, as if there were none, and ends before the first
// of them is written.
type look struct {
	cancel context.CancelFunc
	wait   func() (schemas.StrayWinner, error)
}

// look begins one for a run, which has to be stopped.
func (v *Invoicer) look(ctx context.Context, run schemas.Run, earlier []schemas.Run) *look {
	ctx, cancel := context.WithCancel(ctx)
	return &look{cancel, v.Periods.FindStrays(ctx, schemas.Derivation{Run: run, Earlier: earlier})}
}

func (l *look) stop() {
	l.cancel()
	_, _ = l.wait() // whoever needed the answer has asked
}

// errStrays says that there are such copies, and all is to be derived again: what was
// derived as if there were none is void.
var errStrays = errors.New("copies of one event lie apart")

// none waits until it is known that there are none.
func (l *look) none() error {
	won, err := l.wait()
	if err == nil && won != nil {
		err = errStrays
	}
	return err
}
