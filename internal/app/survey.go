package app

import (
	"context"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/reckon-billing/reckon/aggregate"
	"github.com/reckon-billing/reckon/internal/telemetry"
	"github.com/reckon-billing/reckon/invoicer/survey"
)

// Surveyor looks at what bills nothing of all that is stored. Each survey keeps to one
// server, as seals do (O10).
type Surveyor struct {
	*survey.Surveyor
	keep func(context.Context) error
}

// Surveyor wires surveys to the installation.
func (a *App) Surveyor() *Surveyor {
	store, zone := a.Store.OneServer(), a.Config.Billing.Location
	return &Surveyor{&survey.Surveyor{
		RunLog: store, Log: a, Late: store, Deriver: &aggregate.Deriver{Source: store, Zone: zone}, Store: store, Zone: zone, Now: a.Now,
	}, store.Keep}
}

// Survey is [survey.Surveyor.Survey].
func (s *Surveyor) Survey(ctx context.Context) (survey.Result, error) {
	if err := s.keep(ctx); err != nil {
		return survey.Result{}, err
	}
	return s.Surveyor.Survey(ctx)
}

// surveys are made by a process one after the other.
type surveys struct {
	*process
	surveyor *Surveyor
	at       prometheus.Gauge
	// said is what was logged of accounts that could not be derived.
	said map[string]string
}

// survey is the stage of a process that looks, between seals, at what bills nothing. It is
// one of its own, so that no seal waits for it, nor it for a seal. Nobody waits for the
// first; only one that fails makes the process not ready.
func (p *process) survey(check *telemetry.Check) func(context.Context) error {
	check.Ready()
	every := p.Config.Invoicer.Survey
	if every == 0 {
		return func(ctx context.Context) error {
			<-ctx.Done()
			return ctx.Err()
		}
	}
	s := &surveys{process: p, surveyor: p.Surveyor(), said: map[string]string{}, at: prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "reckon_anomalies_surveyed_timestamp_seconds",
		Help: "When the last survey began, which reckon_anomalies counts up to; 0 before this process has made one.",
	})}
	p.reg.MustRegister(s.at)
	r := runner{zone: p.Config.Billing.Location, now: p.Now, sleep: telemetry.Sleep, done: check.Ready}
	return func(ctx context.Context) error {
		return r.run(ctx, job{"survey", "invoicer.survey", "@every " + every.String(), s.make})
	}
}

// make makes one.
func (s *surveys) make(ctx context.Context) error {
	got, err := s.surveyor.Survey(ctx)
	if err != nil {
		return err
	}
	s.at.Set(float64(got.NotedAt.UnixMilli()) / 1000)
	if got.Anew {
		s.Log.Debug("surveyed what bills nothing", "run", got.Run, "messages", got.Messages, "anomalies", got.Anomalies)
	}
	for account, why := range got.Broken {
		if s.said[account] != why.Error() {
			s.said[account] = why.Error()
			s.Log.Warn("an account cannot be derived: the survey leaves it out", "account", account, "err", why)
		}
	}
	return nil
}
