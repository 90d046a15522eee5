package main

import (
	"context"
	"time"
)

// meter measures what the servers' processes use.
type meter struct {
	srv *servers
	// broker and engine are the CPU seconds since the start, once stopped.
	broker, engine   float64
	broker0, engine0 float64
}

// measure starts a meter, and lets the memory peak of ClickHouse begin anew.
func (b *bench) measure(srv *servers) (*meter, error) {
	if err := resetPeak(srv.engine); err != nil {
		return nil, err
	}
	m := &meter{srv: srv}
	var err error
	if m.broker0, err = cpuOf(srv.broker); err != nil {
		return nil, err
	}
	m.engine0, err = cpuOf(srv.engine)
	return m, err
}

// stop reads the meter.
func (m *meter) stop() error {
	broker, err := cpuOf(m.srv.broker)
	if err != nil {
		return err
	}
	engine, err := cpuOf(m.srv.engine)
	m.broker, m.engine = broker-m.broker0, engine-m.engine0
	return err
}

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}
