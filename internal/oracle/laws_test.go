package oracle_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"pgregory.net/rapid"

	"github.com/reckon-billing/reckon/internal/oracle"
	"github.com/reckon-billing/reckon/internal/oracle/histories"
	"github.com/reckon-billing/reckon/schemas"
)

func world(t *testing.T) (histories.Config, oracle.Settings) {
	t.Helper()
	zone, err := time.LoadLocation("Asia/Ho_Chi_Minh")
	if err != nil {
		t.Fatal(err)
	}
	c := histories.Small(zone)
	c.Accounts = 2
	return c, oracle.Settings{
		Zone: zone, Currency: schemas.Currency{Code: "VND"}, First: c.First, Last: c.First.Next().Next().Next(),
	}
}

func TestTheOrderInWhichCopiesAreReadChangesNothing(t *testing.T) { // L4, A10
	c, s := world(t)
	copies := histories.Copies(c)
	rapid.Check(t, func(t *rapid.T) {
		drawn := copies.Draw(t, "copies")
		once := oracle.Compute(drawn, s)
		again := oracle.Compute(rapid.Permutation(drawn).Draw(t, "order"), s)
		if a, b := fmt.Sprintf("%+v", once), fmt.Sprintf("%+v", again); a != b {
			t.Fatalf("got\n%s\nand\n%s", a, b)
		}
	})
}

func TestPeriodsDoNotOverlapAndStayInTheirMonth(t *testing.T) { // C2, D3
	c, s := world(t)
	copies := histories.Copies(c)
	rapid.Check(t, func(t *rapid.T) {
		lines := oracle.Compute(copies.Draw(t, "copies"), s).Lines
		for i, l := range lines {
			if l.Minutes < 1 || l.PeriodEnd.Sub(l.PeriodStart) != time.Duration(l.Minutes)*time.Minute {
				t.Fatalf("%s..%s has %d minutes", l.PeriodStart, l.PeriodEnd, l.Minutes)
			}
			if l.PeriodStart.Before(l.Month.Start(s.Zone)) || l.PeriodEnd.After(l.Month.End(s.Zone)) {
				t.Fatalf("%s..%s is not in %s", l.PeriodStart, l.PeriodEnd, l.Month)
			}
			if i == 0 {
				continue
			}
			b := lines[i-1]
			same := b.Month == l.Month && b.AccountID == l.AccountID && b.ResourceID == l.ResourceID
			if same && !b.PeriodStart.Equal(l.PeriodStart) && l.PeriodStart.Before(b.PeriodEnd) {
				t.Fatalf("%s..%s overlaps %s", b.PeriodStart, b.PeriodEnd, l.PeriodStart)
			}
		}
	})
}

func TestPartsAddUpToTheWhole(t *testing.T) { // G3, E5
	c, s := world(t)
	copies := histories.Copies(c)
	rapid.Check(t, func(t *rapid.T) {
		r := oracle.Compute(copies.Draw(t, "copies"), s)
		for _, k := range r.Conservation {
			if k.Lived != k.OnLines+k.Excluded || k.Lived <= 0 {
				t.Fatalf("conservation: %+v", k)
			}
		}
		for _, l := range r.Lines {
			if !l.Gross().Equal(l.CouponValue.Add(l.TotalAmount)) || l.CouponValue.Sign() < 0 || l.TotalAmount.Sign() < 0 {
				t.Fatalf("amounts: %+v", l.Amounts)
			}
			if l.CouponCode == "" && !l.CouponValue.IsZero() {
				t.Fatalf("a coupon without a code: %+v", l)
			}
		}
	})
}

// TestALongerHorizonChangesNoEarlierMonth: a month is the same whether or not
// later ones are computed with it.
func TestALongerHorizonChangesNoEarlierMonth(t *testing.T) {
	c, s := world(t)
	copies := histories.Copies(c)
	rapid.Check(t, func(t *rapid.T) {
		drawn := copies.Draw(t, "copies")
		short := s
		short.Last = s.First.Next()
		all := oracle.Compute(drawn, s).Lines
		first := slices.DeleteFunc(slices.Clone(all), func(l schemas.Line) bool { return short.Last.Before(l.Month) })
		for _, d := range oracle.Diff(first, oracle.Compute(drawn, short).Lines) {
			t.Error(d)
		}
	})
}

func TestDiffNamesEveryDifference(t *testing.T) {
	zone := time.UTC
	m := schemas.Month{Year: 2026, Month: 10}
	line := func(resource string) schemas.Line {
		return schemas.Line{
			AccountID: "a", ResourceID: resource, Month: m, PeriodStart: m.Start(zone), PeriodEnd: m.End(zone),
			Quantity: decimal.New(1, 0),
		}
	}
	want := []schemas.Line{line("same"), line("other"), line("gone")}
	other := line("other")
	other.Quantity = decimal.New(2, 0)
	other.TotalAmount = decimal.New(5, 0)
	same := line("same")
	same.Quantity = decimal.New(100, -2)
	got := oracle.Diff(want, []schemas.Line{other, same, line("new"), same})
	slices.Sort(got)
	expect := []string{
		"2026-10 a/gone 2026-10-01T00:00:00Z #0 : is missing",
		"2026-10 a/new 2026-10-01T00:00:00Z #0 : is not wanted",
		"2026-10 a/other 2026-10-01T00:00:00Z #0 : quantity is 2, must be 1",
		"2026-10 a/other 2026-10-01T00:00:00Z #0 : total_amount is 5, must be 0",
		"2026-10 a/same 2026-10-01T00:00:00Z #0 : is there twice",
	}
	if !slices.Equal(got, expect) {
		t.Errorf("got %q", got)
	}
}
