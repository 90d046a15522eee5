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
// again once it had run for a while.
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
	now      func() time.Time
	sleep    func(ctx context.Context, d time.Duration)
	restarts *prometheus.CounterVec
}

// NewSupervisor is handed its clock and a sleep that returns when ctx ends or
// after d, whichever is first; Sleep is the real one.
func NewSupervisor(
	log *slog.Logger, reg prometheus.Registerer, now func() time.Time, sleep func(context.Context, time.Duration),
) *Supervisor {
	restarts := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "reckon_supervisor_restarts_total",
		Help: "How often a stage stopped by itself and was started again.",
	}, []string{"stage"})
	reg.MustRegister(restarts)
	return &Supervisor{log: log, now: now, sleep: sleep, restarts: restarts}
}

// Run keeps run running until ctx ends, and returns when run has. A run that
// returns before, with an error or without, is logged once and started again
// after a rest. The check is not ready from each start until run calls ready.
func (s *Supervisor) Run(ctx context.Context, stage string, check *Check, run func(ctx context.Context, ready func()) error) {
	restarts := s.restarts.WithLabelValues(stage)
	rests := &backoff.ExponentialBackOff{InitialInterval: firstRest, Multiplier: 2, MaxInterval: longestRest}
	for {
		check.NotReady("starting")
		began := s.now()
		err := run(ctx, check.Ready)
		if ctx.Err() != nil {
			check.NotReady("stopped")
			return
		}
		if err == nil {
			err = errEnded
		}
		check.NotReady(err.Error())
		if s.now().Sub(began) >= ranWell {
			rests.Reset()
		}
		rest := rests.NextBackOff()
		s.log.Error("stage stopped", "stage", stage, "err", err, "rest", rest)
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
