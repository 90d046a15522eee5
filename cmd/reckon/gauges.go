package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// storeEvery is how often the store is asked for what only it can tell.
const storeEvery = 15 * time.Second

// storeGauges are counts over all that is stored: which copies count follows
// from the whole set, so no process can count them as they pass.
type storeGauges struct{ copies *prometheus.GaugeVec }

func newStoreGauges(reg prometheus.Registerer) *storeGauges {
	g := &storeGauges{copies: prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "reckon_store_copies", Help: "Messages stored, by what they are: stored (counting), duplicate, conflicting, rejected.",
	}, []string{"what"})}
	reg.MustRegister(g.copies)
	return g
}

func (g *storeGauges) refresh(ctx context.Context, s *system) error {
	c, err := s.store.Counts(ctx)
	if err != nil {
		return fmt.Errorf("count what is stored: %w", err)
	}
	for what, n := range map[string]int64{
		"stored": c.Stored, "duplicate": c.Duplicate, "conflicting": c.Conflicting, "rejected": c.Rejected,
	} {
		g.copies.WithLabelValues(what).Set(float64(n))
	}
	return nil
}

func join(list []string) string { return strings.Join(list, ",") }
