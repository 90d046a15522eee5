package app

import (
	"context"
	"fmt"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/reckon-billing/reckon/internal/clickhouse"
)

// storeGauges are counts over all that is stored: which copies count follows
// from the whole set, so no process can count them as they pass.
type storeGauges struct {
	copies     *prometheus.GaugeVec
	difference prometheus.Gauge
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
	}
	reg.MustRegister(g.copies, g.difference)
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
	return nil
}
