package aggregate

import (
	"fmt"

	"github.com/shopspring/decimal"

	"github.com/reckon-billing/reckon/schemas"
)

// meterPlaces is to how many decimals avg and time_weighted are rounded, half up
// (contract 2): what a quantity may have.
const meterPlaces = 9

// maxQuantity bounds what a quantity may be: 29 digits before the point are
// what is stored (Decimal(38,9), which overflows silently in ClickHouse).
var maxQuantity = decimal.New(1, 29) //nolint:gochecknoglobals // a constant of a type that has none

// levels are the last values of a life's items, by name.
type levels map[string]decimal.Decimal

func levelsOf(stored map[string]decimal.Decimal) levels {
	l := make(levels, len(stored))
	for item, value := range stored {
		l[item] = value
	}
	return l
}

// accumulator measures one metered item over one piece, fed with its usage in
// order.
type accumulator struct {
	item  *schemas.Item
	count int64
	// value is what the meter keeps: a sum, an extreme, the last value or, for
	// time_weighted, the integral over the minutes up to until.
	value    decimal.Decimal
	distinct map[string]struct{}
	// level holds since the minute until.
	level decimal.Decimal
	until int64
}

// add counts one usage value at its minute.
func (a *accumulator) add(value decimal.Decimal, minute int64) {
	first := a.count == 0
	a.count++
	switch a.item.Meter {
	case schemas.Sum, schemas.Avg:
		a.value = a.value.Add(value)
	case schemas.Max:
		if first || value.GreaterThan(a.value) {
			a.value = value
		}
	case schemas.Min:
		if first || value.LessThan(a.value) {
			a.value = value
		}
	case schemas.Last:
		a.value = value
	case schemas.Unique:
		if a.distinct == nil {
			a.distinct = map[string]struct{}{}
		}
		a.distinct[schemas.FormatDecimal(value)] = struct{}{}
	case schemas.TimeWeighted:
		a.hold(minute)
		a.level = value
	case schemas.Count, schemas.NoMeter:
	}
}

// hold lets the level hold up to the minute.
func (a *accumulator) hold(minute int64) {
	if minute > a.until {
		a.value = a.value.Add(a.level.Mul(decimal.NewFromInt(minute - a.until)))
		a.until = minute
	}
}

// quantity is what the meter says of the piece's minutes.
func (a *accumulator) quantity(minutes interval) (decimal.Decimal, error) {
	q := a.value
	switch a.item.Meter {
	case schemas.Count:
		q = decimal.NewFromInt(a.count)
	case schemas.Unique:
		q = decimal.NewFromInt(int64(len(a.distinct)))
	case schemas.Avg:
		if a.count > 0 {
			q = a.value.DivRound(decimal.NewFromInt(a.count), meterPlaces)
		}
	case schemas.TimeWeighted:
		a.hold(minutes.to)
		q = a.value.DivRound(decimal.NewFromInt(minutes.to-minutes.from), meterPlaces)
	case schemas.Sum, schemas.Max, schemas.Min, schemas.Last, schemas.NoMeter:
	}
	if q.GreaterThanOrEqual(maxQuantity) {
		return decimal.Zero, fmt.Errorf("the %s of item %q is %s: a quantity has at most 29 digits before the point",
			a.item.Meter, a.item.Name, q)
	}
	return q, nil
}

// allow takes the free quantities off the metered items of one resource's
// pieces, which ascend by time (contract 2, free_quantity).
func allow(periods []schemas.Period) {
	type key struct {
		month schemas.Month
		item  string
	}
	left := map[key]decimal.Decimal{}
	each := func(do func(key, *schemas.PeriodItem)) {
		for i := range periods {
			for j := range periods[i].Items {
				item := &periods[i].Items[j]
				if item.Meter == schemas.Sum || item.Meter == schemas.Count {
					do(key{periods[i].Month, item.Name}, item)
				}
			}
		}
	}
	each(func(k key, item *schemas.PeriodItem) {
		left[k] = decimal.Max(left[k], item.FreeQuantity)
	})
	each(func(k key, item *schemas.PeriodItem) {
		free := decimal.Min(left[k], item.Measured)
		left[k] = left[k].Sub(free)
		item.Billed = item.Measured.Sub(free)
	})
}
