package fold

import (
	"fmt"
	"maps"

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
type levels struct {
	all map[string]Units
	// The newest, of item, is not yet among all: usage comes item by item mostly.
	item   string
	newest Units
	ahead  bool
}

func levelsOf(stored map[string]decimal.Decimal) levels {
	var l levels
	for item, value := range stored {
		level, ok := UnitsOf(value)
		if !ok {
			level = tooMany // none was ever stored
		}
		l.set(item, level)
	}
	return l
}

func (l *levels) set(item string, value Units) {
	if l.ahead && l.item != item {
		l.settle()
	}
	l.item, l.newest, l.ahead = item, value, true
}

func (l *levels) settle() {
	if !l.ahead {
		return
	}
	if l.all == nil {
		l.all = map[string]Units{}
	}
	l.all[l.item], l.ahead = l.newest, false
}

func (l *levels) of(item string) Units {
	l.settle()
	return l.all[item]
}

func (l *levels) clone() *levels {
	l.settle()
	return &levels{all: maps.Clone(l.all)}
}

// export is nil when there are none.
func (l *levels) export() map[string]decimal.Decimal {
	if l.settle(); len(l.all) == 0 {
		return nil
	}
	out := make(map[string]decimal.Decimal, len(l.all))
	for item, value := range l.all {
		out[item] = value.Decimal()
	}
	return out
}

// accumulator measures one metered item over one piece, fed with its usage in
// order.
type accumulator struct {
	item  *schemas.Item
	count int64
	// value is what the meter keeps: a sum, an extreme, the last value or, for
	// time_weighted, the integral over the minutes up to until.
	value    Units
	distinct map[Units]struct{}
	// level holds since the minute until.
	level Units
	until int64
}

// add counts one usage value at its minute.
func (a *accumulator) add(value Units, minute int64) {
	first := a.count == 0
	a.count++
	switch a.item.Meter {
	case schemas.Sum, schemas.Avg:
		a.value = a.value.plus(value)
	case schemas.Max:
		if first || value.compare(a.value) > 0 {
			a.value = value
		}
	case schemas.Min:
		if first || value.compare(a.value) < 0 {
			a.value = value
		}
	case schemas.Last:
		a.value = value
	case schemas.Unique:
		if a.distinct == nil {
			a.distinct = map[Units]struct{}{}
		}
		a.distinct[value] = struct{}{}
	case schemas.TimeWeighted:
		a.hold(minute)
		a.level = value
	case schemas.Count, schemas.NoMeter:
	}
}

// hold lets the level hold up to the minute.
func (a *accumulator) hold(minute int64) {
	if minute > a.until {
		a.value = a.value.plus(a.level.times(uint64(minute - a.until))) //nolint:gosec // above 0
		a.until = minute
	}
}

// quantity is what the meter says of the piece's minutes.
func (a *accumulator) quantity(minutes interval) (decimal.Decimal, error) {
	if a.item.Meter == schemas.TimeWeighted {
		a.hold(minutes.to)
	}
	q := a.value.Decimal()
	switch a.item.Meter {
	case schemas.Count:
		q = decimal.NewFromInt(a.count)
	case schemas.Unique:
		q = decimal.NewFromInt(int64(len(a.distinct)))
	case schemas.Avg:
		if a.count > 0 && a.value != tooMany {
			q = q.DivRound(decimal.NewFromInt(a.count), meterPlaces)
		}
	case schemas.TimeWeighted:
		if a.value != tooMany {
			q = q.DivRound(decimal.NewFromInt(minutes.to-minutes.from), meterPlaces)
		}
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
