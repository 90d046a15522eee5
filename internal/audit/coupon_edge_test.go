package audit

import (
	"context"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/reckon-billing/reckon/internal/oracle"
	"github.com/reckon-billing/reckon/internal/oracle/histories"
	"github.com/reckon-billing/reckon/schemas"
)

// E5: a server whose coupon January used up is deleted, and created again just
// before a month's edge, without one or with another. That attempt fails in the new
// month, so the server is again what it was before: what its coupon had used is
// not forgotten.
func TestWhatACouponUsedOutlivesAFailedAttemptAcrossTheEdge(t *testing.T) {
	z := zone(t, "Asia/Ho_Chi_Minh")
	first := schemas.Month{Year: 2027, Month: time.January}
	// 44,640 in January: more than the coupon is worth.
	items := []schemas.Item{{Name: "server", Unit: "server", UnitPrice: decimal.NewFromInt(43200), Quantity: decimal.NewFromInt(1), Per: schemas.Per30d}}
	coupon := func(code string) *schemas.Coupon {
		return &schemas.Coupon{Code: code, Value: decimal.NewFromInt(30000)}
	}
	for _, attempt := range []*schemas.Coupon{nil, coupon("SECOND")} {
		m := newMemory()
		at := func(kind schemas.Type, month time.Month, day, hour int, change func(*schemas.Event)) {
			m.happens(kind, time.Date(2027, month, day, hour, 0, 0, 0, z), change)
		}
		created := func(c *schemas.Coupon) func(*schemas.Event) {
			return func(e *schemas.Event) { e.Mode, e.Items, e.Coupon = schemas.Postpaid, items, c }
		}
		nothing := func(*schemas.Event) {}
		seal := func(month schemas.Month) {
			if _, err := sealer(m, z, first).Seal(context.Background(), month); err != nil {
				t.Fatal(err)
			}
		}
		at(schemas.ResourceCreated, time.January, 1, 0, created(coupon("FIRST")))
		seal(first)
		at(schemas.ResourceDeleted, time.February, 10, 0, nothing)
		at(schemas.ResourceCreated, time.February, 28, 23, created(attempt))
		at(schemas.ResourceProvisionFailed, time.March, 1, 10, nothing)
		seal(first.Next()) // it knows of the failure already
		at(schemas.ResourceRecovered, time.March, 5, 0, nothing)
		seal(first.Next().Next())

		want := oracle.Compute(m.copies, oracle.Settings{Zone: z, Currency: vnd, First: first, Last: first.Next().Next(), Cutoffs: histories.Cutoffs(m.runs)})
		if diff := oracle.DiffSums(want.Lines, m.invoicedLines()); len(diff) > 0 {
			t.Errorf("attempt with %v: %s", attempt, diff[0])
		}
		used := decimal.Zero
		for _, l := range m.invoicedLines() {
			if l.CouponCode == "FIRST" {
				used = used.Add(l.CouponValue)
			}
		}
		if !used.Equal(decimal.NewFromInt(30000)) {
			t.Errorf("attempt with %v: the coupon of 30000 gave %s", attempt, used)
		}
	}
}
