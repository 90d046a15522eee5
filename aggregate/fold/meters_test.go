package fold

import (
	"testing"

	"github.com/shopspring/decimal"

	"github.com/reckon-billing/reckon/schemas"
)

type usageAt struct {
	minute int64
	value  string
}

func units(t *testing.T, value string) Units {
	t.Helper()
	u, ok := UnitsOf(decimal.RequireFromString(value))
	if !ok {
		t.Fatalf("%s has no units", value)
	}
	return u
}

func TestMetersMeasureTheUsageOfAPeriod(t *testing.T) {
	usage := []usageAt{{10, "2"}, {10, "4"}, {40, "1"}, {90, "4.0"}}
	cases := []struct {
		meter schemas.Meter
		usage []usageAt
		level string
		want  string
	}{
		{schemas.Sum, usage, "9", "11"},
		{schemas.Count, usage, "9", "4"},
		{schemas.Max, usage, "9", "4"},
		{schemas.Min, usage, "9", "1"},
		{schemas.Last, usage, "9", "4"},
		{schemas.Avg, usage, "9", "2.75"},
		{schemas.Unique, usage, "9", "3"},
		// 10 minutes of 9, none of 2, 30 of 4, 50 of 1, 10 of 4: 300 over 100.
		{schemas.TimeWeighted, usage, "9", "3"},
		// D6: zero is a value.
		{schemas.Sum, nil, "9", "0"},
		{schemas.Avg, nil, "9", "0"},
		{schemas.Min, []usageAt{{5, "0"}}, "9", "0"},
		{schemas.TimeWeighted, nil, "9", "9"},
		// 1/3 and 2/3 to nine decimals, half up.
		{schemas.Avg, []usageAt{{1, "1"}, {2, "0"}, {3, "0"}}, "0", "0.333333333"},
		{schemas.Avg, []usageAt{{1, "1"}, {2, "1"}, {3, "0"}}, "0", "0.666666667"},
		{schemas.Avg, []usageAt{{1, "0.000000001"}, {2, "0"}}, "0", "0.000000001"},
	}
	for _, c := range cases {
		a := accumulator{item: &schemas.Item{Name: "i", Meter: c.meter}, level: units(t, c.level)}
		for _, u := range c.usage {
			a.add(units(t, u.value), u.minute)
		}
		got, err := a.quantity(interval{0, 100})
		if err != nil || schemas.FormatDecimal(got) != c.want {
			t.Errorf("%s of %v: got %v, %v, want %s", c.meter, c.usage, got, err, c.want)
		}
	}
}

// E2: what the store cannot hold breaks the account and is never cut.
func TestAQuantityTooLargeToStoreIsAnError(t *testing.T) {
	a := accumulator{item: &schemas.Item{Name: "i", Meter: schemas.Sum}}
	for range 2 {
		a.add(units(t, "50000000000000000000000000000"), 0)
	}
	if got, err := a.quantity(interval{0, 1}); err == nil {
		t.Errorf("got %s and no error", got)
	}
}

func TestTheAllowanceIsOneForAnItemAndMonth(t *testing.T) {
	october, november := schemas.Month{Year: 2026, Month: 10}, schemas.Month{Year: 2026, Month: 11}
	period := func(month schemas.Month, meter schemas.Meter, free, measured string) schemas.Period {
		return schemas.Period{Month: month, Items: []schemas.PeriodItem{{
			Item:     schemas.Item{Name: "i", Meter: meter, FreeQuantity: decimal.RequireFromString(free)},
			Measured: decimal.RequireFromString(measured), Billed: decimal.RequireFromString(measured),
		}}}
	}
	periods := []schemas.Period{
		period(october, schemas.Sum, "5", "3"),
		period(october, schemas.Max, "5", "4"),
		period(october, schemas.Count, "10", "8"),
		period(october, schemas.Sum, "0", "2"),
		period(november, schemas.Sum, "5", "7"),
	}
	allow(periods)
	// The largest, 10, covers 3 of the first, 7 of the third, none of the fourth.
	// The second's is taken off elsewhere, for each period of its own.
	for i, want := range []string{"0", "4", "1", "2", "2"} {
		if got := schemas.FormatDecimal(periods[i].Items[0].Billed); got != want {
			t.Errorf("period %d: billed %s, want %s", i, got, want)
		}
	}
}
