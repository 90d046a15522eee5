package telemetry

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/prometheus/client_golang/prometheus"
)

// How long a stopped stage rests: twice as long each time, and from the start
// again once it had done its work for a while.
const (
	firstRest   = time.Second
	longestRest = 30 * time.Second
	ranWell     = time.Minute
)

var errEnded = errors.New("ended without being told to")

// Supervisor starts stopped stages again. Stopping at the first error is how
// a stage is written, so this is the one place that tries again.
type Supervisor struct {
	log      *slog.Logger
	sleep    func(ctx context.Context, d time.Duration)
	restarts *prometheus.CounterVec
}

// NewSupervisor is handed a sleep that returns when ctx ends or after d, whichever is
// first; Sleep is the real one.
func NewSupervisor(log *slog.Logger, reg prometheus.Registerer, sleep func(context.Context, time.Duration)) *Supervisor {
	restarts := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "reckon_supervisor_restarts_total",
		Help: "How often a stage stopped by itself and was started again.",
	}, []string{"stage"})
	reg.MustRegister(restarts)
	return &Supervisor{log: log, sleep: sleep, restarts: restarts}
}

// Run keeps run running until ctx ends, and returns when run has. A run that
// returns before, with an error or without, is logged and started again after a
// rest; the same error again is not logged again, unless the check was ready for a
// while in between. The check is not ready from a failure on until run says that
// something has succeeded.
func (s *Supervisor) Run(ctx context.Context, stage string, check *Check, run func(context.Context) error) {
	restarts := s.restarts.WithLabelValues(stage)
	rests := &backoff.ExponentialBackOff{InitialInterval: firstRest, Multiplier: 2, MaxInterval: longestRest}
	for logged := ""; ; {
		err := run(ctx)
		if ctx.Err() != nil {
			check.NotReady("stopped")
			return
		}
		if err == nil {
			err = errEnded
		}
		if check.readyFor() >= ranWell {
			rests.Reset()
			logged = ""
		}
		check.NotReady(err.Error())
		rest := rests.NextBackOff()
		if err.Error() != logged {
			logged = err.Error()
			s.log.Error("stage stopped, and is started again", "stage", stage, "err", err, "rest", rest)
		}
		s.sleep(ctx, rest)
		if ctx.Err() != nil {
			return
		}
		restarts.Inc()
	}
}

// Sleep returns after d, or at once when ctx ends.
func Sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
