package audit

import (
	"context"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/reckon-billing/reckon/schemas"
)

// An adjustment names every late event that touches its month, those too that say
// again what the event before them said.
func TestAnAdjustmentNamesLateEventsThatSayTheSame(t *testing.T) {
	z := zone(t, "Asia/Ho_Chi_Minh")
	first := schemas.Month{Year: 2027, Month: time.January}
	at := func(day int) time.Time { return time.Date(2027, time.January, day, 0, 0, 0, 0, z) }
	of := func(quantity int64) func(*schemas.Event) {
		return func(e *schemas.Event) {
			e.Items = []schemas.Item{{
				Name: "server", Unit: "server", UnitPrice: decimal.NewFromInt(43200), Quantity: decimal.NewFromInt(quantity), Per: schemas.Per30d,
			}}
		}
	}
	m := newMemory()
	m.happens(schemas.ResourceCreated, at(1), func(e *schemas.Event) { of(1)(e); e.Mode = schemas.Postpaid })
	m.happens(schemas.ResourceResized, at(5), of(2))
	seal := func() {
		if _, err := sealer(m, z, first).Seal(context.Background(), first); err != nil {
			t.Fatal(err)
		}
	}
	seal()
	for _, day := range []int{10, 11, 12} {
		m.happens(schemas.ResourceResized, at(day), of(3))
	}
	seal()
	for _, h := range m.headers {
		if h.Kind == schemas.KindAdjustment {
			if h.LateEvents != 3 || len(h.Late) != 3 {
				t.Errorf("%d late events, named %v, want 3", h.LateEvents, h.Late)
			}
			return
		}
	}
	t.Error("there is no adjustment")
}
