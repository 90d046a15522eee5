package oracle

import (
	"math/big"
	"testing"

	"github.com/reckon-billing/reckon/schemas"
)

// priced is the formula over one item for some minutes, without the history.
func priced(t *testing.T, minutes int64, i schemas.Item, coupon string) (before, tax, total string) {
	t.Helper()
	g, x := price(minutes, &i, rat(i.Quantity), 0)
	off := new(big.Int)
	if coupon != "" {
		b := &balance{Coupon: schemas.Coupon{Value: num(coupon)}}
		off = b.take([]*big.Int{g}, 0)[0]
	}
	return new(big.Int).Sub(g, x).String(), x.String(), new(big.Int).Sub(g, off).String()
}

func TestAPriceIsWhatTheFormulaSays(t *testing.T) {
	item := func(unitPrice, quantity, discount, tax string) schemas.Item {
		return schemas.Item{
			Name: "i", UnitPrice: num(unitPrice), Quantity: num(quantity), Per: schemas.Per30d,
			DiscountPercent: num(discount), TaxPercent: num(tax),
		}
	}
	for name, c := range map[string]struct {
		minutes            int64
		item               schemas.Item
		coupon             string
		before, tax, total string
	}{
		"30 days":            {43_200, item("165000", "1", "0", "10"), "", "165000", "16500", "181500"},
		"a month of 31 days": {44_640, item("165000", "1", "0", "10"), "", "170500", "17050", "187550"},
		"a February":         {40_320, item("165000", "1", "0", "10"), "", "154000", "15400", "169400"},
		"before a resize":    {14_400, item("165000", "1", "0", "10"), "", "55000", "5500", "60500"},
		"after a resize":     {28_800, item("330000", "1", "0", "10"), "", "220000", "22000", "242000"},
		"one minute":         {1, item("165000", "1", "0", "10"), "", "4", "0", "4"},
		"one minute, rounded once and not in parts": {1, item("181500", "1", "0", "10"), "", "5", "0", "5"},
		"quantity, discount, tax and coupon":        {12_345, item("165000", "3", "15", "8"), "1000", "120235", "9619", "128854"},
		"60 days of the first item":                 {86_400, item("90000", "1", "0", "0"), "", "180000", "0", "180000"},
		"60 days of the second item":                {86_400, item("35000", "1", "0", "0"), "", "70000", "0", "70000"},
		"50 unused days before a resize up":         {72_000, item("181000", "1", "0", "0"), "", "301667", "0", "301667"},
		"50 days after a resize up":                 {72_000, item("520000", "1", "0", "0"), "", "866667", "0", "866667"},
		"20 unused days before a resize down":       {28_800, item("520000", "1", "0", "0"), "", "346667", "0", "346667"},
		"20 days after a resize down":               {28_800, item("181000", "1", "0", "0"), "", "120667", "0", "120667"},
		"5 unused days of 30 GB":                    {7_200, item("19800", "1", "0", "0"), "", "3300", "0", "3300"},
		"5 days of 80 GB":                           {7_200, item("52800", "1", "0", "0"), "", "8800", "0", "8800"},
		"24 unused days":                            {34_560, item("19800", "1", "0", "0"), "", "15840", "0", "15840"},
		"a day of a load balancer at half price":    {1_440, item("440000", "1", "50", "0"), "", "7333", "0", "7333"},
		"a day and more at half price":              {1_563, item("440000", "1", "50", "0"), "", "7960", "0", "7960"},
		"a day of it at the list price":             {1_440, item("440000", "1", "0", "0"), "", "14667", "0", "14667"},
		"10^15 dong and 9 decimals":                 {43_200, item("1000000000000000", "1.000000001", "0", "0"), "", "1000000001000000", "0", "1000000001000000"},
		"a free month":                              {43_200, item("165000", "1", "100", "10"), "", "0", "0", "0"},
		"a coupon above the price":                  {1, item("165000", "1", "0", "10"), "1000", "4", "0", "0"},
	} {
		t.Run(name, func(t *testing.T) {
			before, tax, total := priced(t, c.minutes, c.item, c.coupon)
			if before != c.before || tax != c.tax || total != c.total {
				t.Errorf("got %s + %s, to pay %s; want %s + %s, %s", before, tax, total, c.before, c.tax, c.total)
			}
		})
	}
}

func TestPriceOfEachPer(t *testing.T) {
	i := schemas.Item{UnitPrice: num("7.7"), Quantity: num("10")}
	for per, want := range map[schemas.Per]string{
		// 180 min × 7.7 × 10 over 60; over 1,440: 9.625; over 43,200: 0.32; once: 77.
		schemas.Per1h: "231", schemas.Per1d: "10", schemas.Per30d: "0", schemas.PerUse: "77",
	} {
		i.Per = per
		if gross, _ := price(180, &i, rat(i.Quantity), 0); gross.String() != want {
			t.Errorf("per %s: got %s, want %s", per, gross, want)
		}
	}
}

func TestACouponIsSplitByLargestRemainder(t *testing.T) {
	for name, c := range map[string]struct {
		value       string
		gross, want []int64
		left        int64
	}{
		"three equal lines, ties in item order": {"100000", []int64{50_000, 50_000, 50_000}, []int64{33_334, 33_333, 33_333}, 0},
		"two to one":                            {"150000", []int64{1_000_000, 500_000}, []int64{100_000, 50_000}, 0},
		"the largest remainder first":           {"10", []int64{10, 24}, []int64{3, 7}, 0}, // 2.94 and 7.06
		"more than there is to pay":             {"500", []int64{100, 0, 50}, []int64{100, 0, 50}, 350},
		"nothing to pay":                        {"500", []int64{0, 0}, []int64{0, 0}, 500},
	} {
		t.Run(name, func(t *testing.T) {
			b := &balance{Coupon: schemas.Coupon{Value: num(c.value)}}
			var gross []*big.Int
			for _, g := range c.gross {
				gross = append(gross, big.NewInt(g))
			}
			for i, share := range b.take(gross, 0) {
				if share.Int64() != c.want[i] {
					t.Errorf("line %d: got %s, want %d", i, share, c.want[i])
				}
			}
			left := scaled(rat(b.Value), 0)
			if b.left != nil {
				left = b.left
			}
			if left.Int64() != c.left {
				t.Errorf("left %s, want %d", left, c.left)
			}
		})
	}
}

func TestATieOfManyLinesGoesInItemOrder(t *testing.T) {
	b := &balance{Coupon: schemas.Coupon{Value: num("10")}}
	gross := make([]*big.Int, 50)
	for i := range gross {
		gross[i] = big.NewInt(int64(i%2) * 7) // 25 lines share 10: 0.4 each
	}
	for i, share := range b.take(gross, 0) {
		want := int64(0)
		if i%2 == 1 && i < 20 {
			want = 1
		}
		if share.Int64() != want {
			t.Errorf("line %d: got %s, want %d", i, share, want)
		}
	}
}

func TestRoundingIsHalfAwayFromZero(t *testing.T) {
	for in, want := range map[string]int64{"0.5": 1, "1.5": 2, "2.5": 3, "2.4999": 2, "-0.5": -1, "-1.49": -1} {
		if got := scaled(rat(num(in)), 0); got.Int64() != want {
			t.Errorf("round(%s) = %s, want %d", in, got, want)
		}
	}
}

// TestWorkedExamplesThroughAWholeHistory takes the examples that a month can
// hold through events, periods and formula.
func TestWorkedExamplesThroughAWholeHistory(t *testing.T) {
	taxed := func(i schemas.Item, quantity, discount, tax string) schemas.Item {
		i.Quantity, i.DiscountPercent, i.TaxPercent = num(quantity), num(discount), num(tax)
		return i
	}
	for name, c := range map[string]struct {
		history     func(w *world)
		first, last string
		lines       []string
	}{
		"10 days of one server, 20 of one twice as large": {func(w *world) {
			w.add(schemas.ResourceCreated, "04-01 00:00:00", items(taxed(fixed("s", "165000"), "1", "0", "10"))).
				add(schemas.ResourceResized, "04-11 00:00:00", items(taxed(fixed("s", "330000"), "1", "0", "10")))
		}, "2026-04", "2026-04", []string{
			"04-01 00:00..04-11 00:00 s x1 14400m =60500", "04-11 00:00..05-01 00:00 s x1 28800m =242000",
		}},
		"12,345 minutes of three, discount, tax and coupon": {func(w *world) {
			w.add(schemas.ResourceCreated, "10-01 00:00:59", items(taxed(fixed("s", "165000"), "3", "15", "8")), coupon("C", "1000")).
				add(schemas.ResourceDeleted, "10-09 13:44:01")
		}, "2026-10", "2026-10", []string{"10-01 00:00..10-09 13:45 s x3 12345m =128854 (C 1000)"}},
		"two items over 59 days share a coupon, oldest first": {func(w *world) {
			// 28 thirtieths of 90,000 and 35,000, then 31: the coupon falls in February.
			w.add(schemas.ResourceCreated, "02-01 00:00:00", items(fixed("a", "90000"), fixed("b", "35000")), coupon("C", "20000")).
				add(schemas.ResourceDeleted, "04-01 00:00:00")
		}, "2026-02", "2026-03", []string{
			"02-01 00:00..03-01 00:00 a x1 40320m =69600 (C 14400)", "02-01 00:00..03-01 00:00 b x1 40320m =27067 (C 5600)",
			"03-01 00:00..04-01 00:00 a x1 44640m =93000 (C 0)", "03-01 00:00..04-01 00:00 b x1 44640m =36167 (C 0)",
		}},
		"a load balancer for a day at half price, and one for a day and two hours": {func(w *world) {
			w.add(schemas.ResourceCreated, "2024-12-25 12:58:28", items(taxed(fixed("lb", "440000"), "1", "50", "0"))).
				add(schemas.ResourceDeleted, "2024-12-26 12:58:00")
			other := func(e *schemas.Event) { e.ResourceID = "r2" }
			w.add(schemas.ResourceCreated, "2024-12-25 10:55:12", items(taxed(fixed("lb", "440000"), "1", "50", "0")), other).
				add(schemas.ResourceDeleted, "2024-12-26 12:58:00", other)
		}, "2024-12", "2024-12", []string{
			"12-25 12:58..12-26 12:58 lb x1 1440m =7333", "12-25 10:55..12-26 12:58 lb x1 1563m =7960",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			w := &world{t: t}
			c.history(w)
			expect(t, told(t, Compute(w.copies, vnd(t, c.first, c.last))), c.lines)
		})
	}
}
