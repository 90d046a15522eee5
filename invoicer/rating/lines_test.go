package rating

import (
	"fmt"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"pgregory.net/rapid"

	"github.com/reckon-billing/reckon/schemas"
)

func at(t *testing.T, text string) time.Time {
	t.Helper()
	instant, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatalf("%q is not a time: %v", text, err)
	}
	return instant.UTC()
}

// period is one of October 2026 from its first minute in Vietnam on.
func period(minutes int64, items ...schemas.PeriodItem) *schemas.Period {
	start := time.Date(2026, time.September, 30, 17, 0, 0, 0, time.UTC)
	for i := range items {
		items[i].Name = fmt.Sprintf("item-%d", i)
	}
	return &schemas.Period{
		AccountID: "acme", ResourceID: "srv-1", ResourceName: "web", Product: "vServer", Service: "Compute",
		Month: schemas.Month{Year: 2026, Month: time.October},
		Start: start, End: start.Add(time.Duration(minutes) * time.Minute),
		Mode: schemas.Postpaid, Items: items,
	}
}

func balance(value, used string) *schemas.CouponBalance {
	return &schemas.CouponBalance{Coupon: schemas.Coupon{Code: "TET", Value: dec(value)}, Source: "shop", ID: "e-1", Used: dec(used)}
}

func totals(lines []schemas.Line) (coupons, totals []decimal.Decimal) {
	for i := range lines {
		coupons = append(coupons, lines[i].CouponValue)
		totals = append(totals, lines[i].TotalAmount)
	}
	return coupons, totals
}

func TestACouponIsSplitOverTheLinesOfAPeriod(t *testing.T) {
	for _, c := range []struct {
		name     string
		period   *schemas.Period
		balance  *schemas.CouponBalance
		coupons  []decimal.Decimal
		totals   []decimal.Decimal
		usedThen string
	}{
		{
			"WD7: 1,000 off one line", period(12_345, item("165000", quantity("3"), discount("15"), tax("8"))), balance("1000", "0"),
			decs("1000"), decs("128854"), "1000",
		},
		{
			"WD10: 100,000 over three equal lines", period(43_200, item("165000"), item("165000"), item("165000")), balance("100000", "0"),
			decs("33334", "33333", "33333"), decs("131666", "131667", "131667"), "100000",
		},
		{
			"WF1: 230,000 are left to pay", period(60*day, item("90000"), item("35000")), balance("20000", "0"),
			decs("14400", "5600"), decs("165600", "64400"), "20000",
		},
		{
			"WF11: 900,000 and 450,000 are left to pay", period(30*day, item("1000000"), item("500000")), balance("150000", "0"),
			decs("100000", "50000"), decs("900000", "450000"), "150000",
		},
		{
			"a coupon above the gross pays all and keeps the rest (immunity G3)", period(43_200, item("165000", tax("10")), item("10")), balance("1000000", "0"),
			decs("181500", "10"), decs("0", "0"), "181510",
		},
		{
			"what earlier months used is gone", period(43_200, item("165000")), balance("20000", "15000"),
			decs("5000"), decs("160000"), "20000",
		},
		{
			"a balance that is used up gives nothing", period(43_200, item("165000")), balance("20000", "20000"),
			decs("0"), decs("165000"), "20000",
		},
		{
			"a line of zero gets nothing, its neighbour all", period(43_200, item("165000", quantity("0")), item("165000")), balance("7", "0"),
			decs("0", "7"), decs("0", "164993"), "7",
		},
		{
			"lines of zero use nothing", period(43_200, item("165000", discount("100"))), balance("7", "0"),
			decs("0"), decs("0"), "0",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.period.Balance = c.balance
			r := &Rater{Currency: vnd()}
			lines := r.Lines(c.period)
			coupons, left := totals(lines)
			if !sameDecimals(coupons, c.coupons) || !sameDecimals(left, c.totals) {
				t.Errorf("coupon %s, totals %s, want %s and %s", coupons, left, c.coupons, c.totals)
			}
			if used := r.Used(c.balance); !used.Equal(dec(c.usedThen)) {
				t.Errorf("%s of the balance is used, want %s", used, c.usedThen)
			}
			for i := range lines {
				if lines[i].CouponCode != "TET" {
					t.Errorf("line %d names the coupon %q", i, lines[i].CouponCode)
				}
			}
		})
	}
}

func TestABalanceIsUsedUpOldestPeriodFirst(t *testing.T) {
	r := &Rater{Currency: vnd()}
	shared := balance("200000", "0")
	other := &schemas.CouponBalance{Coupon: schemas.Coupon{Code: "TET", Value: dec("10")}, Source: "shop", ID: "e-2"}
	for i, c := range []struct {
		balance      *schemas.CouponBalance
		coupon, left string
	}{
		{shared, "165000", "0"},
		// A balance is one by its event, also where another bears the same code.
		{other, "10", "164990"},
		{shared, "35000", "130000"},
		{shared, "0", "165000"},
		{nil, "0", "165000"},
	} {
		p := period(43_200, item("165000"))
		// Each period comes with a balance of its own making, equal but not the same pointer.
		if c.balance != nil {
			copied := *c.balance
			p.Balance = &copied
		}
		line := r.Lines(p)[0]
		if !line.CouponValue.Equal(dec(c.coupon)) || !line.TotalAmount.Equal(dec(c.left)) {
			t.Errorf("period %d: coupon %s leaves %s, want %s and %s", i, line.CouponValue, line.TotalAmount, c.coupon, c.left)
		}
	}
}

// H5: a line stores the price that its event brought.
func TestALineHasAllThatTheReportShows(t *testing.T) {
	p := period(44_640, item("165000", quantity("2"), tax("10")), item("1000", metered(schemas.Sum, "12"), per(schemas.PerUse)))
	p.Items[1].Billed = dec("10")
	p.Items[1].FreeQuantity = dec("2")
	p.Balance = balance("5000", "0")
	lines := (&Rater{Currency: vnd()}).Lines(p)
	if len(lines) != 2 {
		t.Fatalf("%d lines, want 2", len(lines))
	}
	for i, l := range lines {
		if l.AccountID != "acme" || l.ResourceID != "srv-1" || l.ResourceName != "web" || l.Product != "vServer" || l.Service != "Compute" {
			t.Errorf("line %d is of %s, %s (%s), %s, %s", i, l.AccountID, l.ResourceID, l.ResourceName, l.Product, l.Service)
		}
		if l.InvoiceCode != schemas.InvoiceCode("acme", "srv-1", p.Month, p.Start) {
			t.Errorf("line %d is on invoice %s", i, l.InvoiceCode)
		}
		if l.Month != p.Month || !l.PeriodStart.Equal(at(t, "2026-10-01T00:00:00+07:00")) || !l.PeriodEnd.Equal(at(t, "2026-11-01T00:00:00+07:00")) || l.Minutes != 44_640 {
			t.Errorf("line %d is of %s, %s to %s, %d minutes", i, l.Month, l.PeriodStart, l.PeriodEnd, l.Minutes)
		}
		if l.Position != i || !l.Item.Equal(&p.Items[i].Item) || l.CouponCode != "TET" {
			t.Errorf("line %d is item %d, %+v, under %q", i, l.Position, l.Item, l.CouponCode)
		}
	}
	if q := lines[1].Quantity; !q.Equal(dec("10")) {
		t.Errorf("the quantity is %s, want the 10 after the allowance", q)
	}
	if a := lines[0].Amounts; !a.BeforeTax.Equal(dec("341000")) || !a.TaxAmount.Equal(dec("34100")) {
		t.Errorf("two servers for 31 days cost %s + %s", a.BeforeTax, a.TaxAmount)
	}
	// 341,000 + 34,100 = 375,100 and 10,000: of 5,000 the parts are 4,870.16 and 129.84.
	if coupons, _ := totals(lines); !sameDecimals(coupons, decs("4870", "130")) {
		t.Errorf("coupon %s", coupons)
	}
	if sum := Total(lines); !sum.TotalAmount.Equal(dec("380100")) || !sum.CouponValue.Equal(dec("5000")) {
		t.Errorf("the lines add up to %s after %s of coupon", sum.TotalAmount, sum.CouponValue)
	}
}

// A quantity of zero, a line without usage and one discounted away are lines
// with zeros, not gaps (immunity D6).
func TestALineOfZeroIsALine(t *testing.T) {
	p := period(43_200, item("165000", quantity("0")), item("5", metered(schemas.Max, "0")), item("165000", discount("100"), tax("10")))
	lines := (&Rater{Currency: vnd()}).Lines(p)
	if len(lines) != 3 {
		t.Fatalf("%d lines, want 3", len(lines))
	}
	for i := range lines {
		if !lines[i].IsZero() || lines[i].Minutes != 43_200 || lines[i].CouponCode != "" {
			t.Errorf("line %d is %+v", i, lines[i])
		}
	}
}

func TestAPrepaidPeriodHasLinesForItsMeteredItemsOnly(t *testing.T) {
	p := period(43_200, item("165000"), item("1000", metered(schemas.Sum, "3"), per(schemas.PerUse)), item("5"))
	p.Mode = schemas.Prepaid
	lines := (&Rater{Currency: vnd()}).Lines(p)
	if len(lines) != 1 || lines[0].Position != 1 || !lines[0].TotalAmount.Equal(dec("3000")) {
		t.Fatalf("lines are %+v", lines)
	}
	if got, want := Count(p, lines), (schemas.ItemMinutes{Lived: 129_600, OnLines: 43_200, Excluded: 86_400}); got != want || !got.Balanced() {
		t.Errorf("counted %+v, want %+v", got, want)
	}
	p.Balance = balance("1000", "0")
	r := &Rater{Currency: vnd()}
	if line := r.Lines(p)[0]; line.CouponCode != "" || !line.CouponValue.IsZero() || !r.Used(p.Balance).IsZero() {
		t.Errorf("a prepaid line has the coupon %q and %s of it", line.CouponCode, line.CouponValue)
	}
}

func TestAMonthIsConservedOnlyWithEveryLineOnce(t *testing.T) {
	p := period(100, item("1"), item("2"))
	lines := (&Rater{Currency: vnd()}).Lines(p)
	if m := Count(p, lines).Add(Count(p, lines)); m != (schemas.ItemMinutes{Lived: 400, OnLines: 400}) || !m.Balanced() {
		t.Errorf("counted %+v", m)
	}
	if Count(p, lines[:1]).Balanced() {
		t.Error("a lost line is not seen")
	}
	if Count(p, append(lines[:2:2], lines[0])).Balanced() {
		t.Error("a line made twice is not seen")
	}
}

// drawPeriods draws touching periods of one resource, some under one of two
// balances and some under none.
func drawPeriods(t *rapid.T) []schemas.Period {
	balances := []*schemas.CouponBalance{nil, balance("1", "0"), balance("1", "0")}
	for i, b := range balances[1:] {
		b.ID = fmt.Sprint(i)
		b.Value = decimal.NewFromInt(rapid.Int64Range(1, 3_000_000).Draw(t, "value"))
	}
	periods := make([]schemas.Period, rapid.IntRange(1, 6).Draw(t, "periods"))
	start := time.Date(2026, time.September, 30, 17, 0, 0, 0, time.UTC)
	for i := range periods {
		items := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) schemas.PeriodItem { return drawItem(t, 5) }), 1, 5).Draw(t, "items")
		p := period(rapid.Int64Range(1, 20_000).Draw(t, "minutes"), items...)
		length := p.End.Sub(p.Start)
		p.Start, p.End = start, start.Add(length)
		start = p.End
		if b := rapid.SampledFrom(balances).Draw(t, "balance"); b != nil {
			copied := *b
			p.Balance = &copied
		} else if rapid.Bool().Draw(t, "prepaid") {
			p.Mode = schemas.Prepaid
		}
		periods[i] = *p
	}
	return periods
}

// Guards immunity G1: the same coupon is never taken twice, however often and
// in however many goes the periods are priced.
func TestBalancesAreUsedExactlyAndNeverTwice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		periods, currency := drawPeriods(t), vnd()
		whole := &Rater{Currency: currency}
		left := make(map[string]decimal.Decimal)
		var counted schemas.ItemMinutes
		for i := range periods {
			p := &periods[i]
			lines := whole.Lines(p)
			counted = counted.Add(Count(p, lines))
			sum := Total(lines)
			for j := range lines {
				checkAmounts(t, lines[j].Amounts, currency)
			}
			want := decimal.Zero
			if p.Balance != nil {
				if _, met := left[p.Balance.ID]; !met {
					left[p.Balance.ID] = p.Balance.Value
				}
				want = decimal.Min(left[p.Balance.ID], sum.Gross())
				left[p.Balance.ID] = left[p.Balance.ID].Sub(want)
				if used := whole.Used(p.Balance); !used.Equal(p.Balance.Value.Sub(left[p.Balance.ID])) {
					t.Fatalf("period %d: %s is used, %s is left of %s", i, used, left[p.Balance.ID], p.Balance.Value)
				}
			}
			if !sum.CouponValue.Equal(want) {
				t.Fatalf("period %d: %s taken off %s, want %s", i, sum.CouponValue, sum.Gross(), want)
			}
		}
		if !counted.Balanced() {
			t.Fatalf("not conserved: %+v", counted)
		}
		checkInTwoGoes(t, periods, rapid.IntRange(0, len(periods)).Draw(t, "cut"), currency)
	})
}

// checkInTwoGoes prices the periods at once and again cut in two, where the
// later ones are told what the earlier ones used, as a later month is.
func checkInTwoGoes(t *rapid.T, periods []schemas.Period, cut int, currency schemas.Currency) {
	whole, earlier, later := &Rater{Currency: currency}, &Rater{Currency: currency}, &Rater{Currency: currency}
	for i := range periods {
		want := whole.Lines(&periods[i])
		p, r := periods[i], earlier
		if i >= cut {
			r = later
			if p.Balance != nil {
				told := *p.Balance
				told.Used = earlier.Used(p.Balance)
				p.Balance = &told
			}
		}
		for j, line := range r.Lines(&p) {
			if !line.Amounts.Sub(want[j].Amounts).IsZero() {
				t.Fatalf("period %d, line %d: %+v in two goes, %+v in one", i, j, line.Amounts, want[j].Amounts)
			}
		}
	}
}

func BenchmarkLines(b *testing.B) {
	p := period(44_640, item("165000", quantity("4"), tax("8")), item("2500", quantity("100"), tax("8")), item("900", metered(schemas.Sum, "12.5"), per(schemas.PerUse), tax("8")))
	p.Balance = balance("100000", "0")
	b.ReportAllocs()
	for b.Loop() {
		(&Rater{Currency: vnd()}).Lines(p)
	}
}
