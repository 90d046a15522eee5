package app

import (
	"context"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/reckon-billing/reckon/internal/clickhouse"
	"github.com/reckon-billing/reckon/internal/telemetry"
	"github.com/reckon-billing/reckon/schemas"
)

const (
	// pingEvery is how often the store is asked for a sign of life, and pingWithin how
	// long it may take over that. A process that has heard none for storeAge is not
	// ready, whatever hangs.
	pingEvery  = 2 * time.Second
	pingWithin = 5 * time.Second
	storeAge   = 20 * time.Second
	// countEvery is how often the store is asked for what only it can tell. That reads
	// every identity: it may take one part of the time in countShare.
	countEvery = 15 * time.Second
	countShare = 20
	// enginesEvery is how often the embedded engines are looked at.
	enginesEvery = time.Second
)

// watch is a question that a process asks all the while; /readyz tells the answer.
type watch struct {
	check *telemetry.Check
	every time.Duration
	// share is how many times as long as the answer took nothing is asked.
	share int
	ask   func(context.Context) error
}

// watches are those of a process: whether the store answers, what only the store can
// tell, and how the engines are that were started here.
func (p *process) watches() []watch {
	gauges := newStoreGauges(p.reg)
	all := []watch{
		{p.health.CheckWithin("clickhouse", storeAge), pingEvery, 0, p.ping},
		{p.health.Check("counts"), countEvery, countShare, func(ctx context.Context) error { return gauges.refresh(ctx, p.Store) }},
	}
	if p.Started() {
		all = append(all, watch{p.health.Check("embedded"), enginesEvery, 0, func(context.Context) error { return p.stack.Health() }})
	}
	return all
}

// run asks until ctx ends.
func (w watch) run(ctx context.Context, now func() time.Time) {
	for ctx.Err() == nil {
		began, rest := now(), w.every
		if err := w.ask(ctx); err != nil {
			// Soon again: how long a server hung says nothing of what the answer costs.
			w.check.NotReady(err.Error())
		} else {
			w.check.Ready()
			rest = max(rest, time.Duration(w.share)*now().Sub(began))
		}
		telemetry.Sleep(ctx, rest)
	}
}

// ping asks the store for a sign of life.
func (p *process) ping(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, pingWithin)
	defer cancel()
	return p.Store.Ping(ctx)
}

// storeGauges are counts over all that is stored: which copies count follows
// from the whole set, so no process can count them as they pass.
type storeGauges struct {
	copies     *prometheus.GaugeVec
	difference prometheus.Gauge
	anomalies  *prometheus.GaugeVec
}

func newStoreGauges(reg prometheus.Registerer) *storeGauges {
	g := &storeGauges{
		copies: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "reckon_store_copies", Help: "Messages stored, by what they are: stored (counting), duplicate, conflicting, rejected.",
		}, []string{"what"}),
		difference: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "reckon_store_item_minutes_difference",
			Help: "Item-minutes lived in sealed months that are neither on lines nor excluded, or too much there; must be 0.",
		}),
		anomalies: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "reckon_anomalies", Help: "Events that are stored and bill nothing, by why; as far as seals and the newest survey tell.",
		}, []string{"reason"}),
	}
	reg.MustRegister(g.copies, g.difference, g.anomalies)
	return g
}

func (g *storeGauges) refresh(ctx context.Context, store *clickhouse.Store) error {
	c, err := store.Counts(ctx)
	if err != nil {
		return fmt.Errorf("count what is stored: %w", err)
	}
	for what, n := range map[string]int64{
		"stored": c.Stored, "duplicate": c.Duplicate, "conflicting": c.Conflicting, "rejected": c.Rejected,
	} {
		g.copies.WithLabelValues(what).Set(float64(n))
	}
	difference, err := store.ConservationDifference(ctx)
	if err != nil {
		return err
	}
	g.difference.Set(float64(difference))
	anomalies, err := store.CountAnomalies(ctx)
	if err != nil {
		return err
	}
	for _, reason := range schemas.AnomalyReasons() {
		g.anomalies.WithLabelValues(string(reason)).Set(float64(anomalies[reason]))
	}
	return nil
}
