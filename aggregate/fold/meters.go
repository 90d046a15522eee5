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
	all map[string]level
	// leftOut tells that there were values of items that are not among all.
	leftOut bool
	// The newest, of item, is not yet among all: usage comes item by item mostly.
	item   string
	newest level
	ahead  bool
}

// level is the last value of an item. A snapshot keeps those of items that were metered
// at some instant at which they had a value: a resource may be sent usage of any number
// of others.
type level struct {
	value   Units
	metered bool
	// by is the event that brought it; nil where nobody asks.
	by *schemas.Level
}

func levelsOf(s *state) levels {
	l := levels{leftOut: s.LeftOut}
	var metered map[string]struct{}
	if s.older { // there are those of all items
		metered = namesMetered(nil, s.Items)
	}
	for item, value := range s.Levels {
		known, ok := UnitsOf(value)
		if !ok {
			known = tooMany // none was ever stored
		}
		_, is := metered[item]
		l.set(item, level{value: known, metered: is || !s.older})
	}
	return l
}

// namesMetered adds the names of the items that are metered.
func namesMetered(names map[string]struct{}, items []schemas.Item) map[string]struct{} {
	for i := range items {
		if items[i].Meter != schemas.NoMeter {
			if names == nil {
				names = map[string]struct{}{}
			}
			names[items[i].Name] = struct{}{}
		}
	}
	return names
}

func (l *levels) set(item string, value level) {
	switch {
	case l.ahead && l.item == item:
		value.metered = value.metered || l.newest.metered
	case l.ahead:
		l.settle()
	}
	l.item, l.newest, l.ahead = item, value, true
}

func (l *levels) settle() {
	if !l.ahead {
		return
	}
	if l.all == nil {
		l.all = map[string]level{}
	}
	l.newest.metered = l.newest.metered || l.all[l.item].metered
	l.all[l.item], l.ahead = l.newest, false
}

func (l *levels) has(item string) bool {
	if l.ahead && l.item == item {
		return true
	}
	_, has := l.all[item]
	return has
}

func (l *levels) of(item string) level {
	l.settle()
	return l.all[item]
}

// meter is of, where metering of the item begins.
func (l *levels) meter(item string) level {
	l.settle()
	x, has := l.all[item]
	if has && !x.metered {
		x.metered = true
		l.all[item] = x
	}
	return x
}

func (l *levels) clone() *levels {
	l.settle()
	return &levels{all: maps.Clone(l.all), leftOut: l.leftOut}
}

// export is what a snapshot keeps, nil for none, and whether that leaves any out.
func (l *levels) export() (kept map[string]decimal.Decimal, leftOut bool) {
	l.settle()
	leftOut = l.leftOut
	for item, x := range l.all {
		if !x.metered {
			leftOut = true
			continue
		}
		if kept == nil {
			kept = make(map[string]decimal.Decimal, len(l.all))
		}
		kept[item] = x.value.Decimal()
	}
	return kept, leftOut
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
	// level holds since the minute until; before is the event whose level held when the
	// piece began.
	level  Units
	until  int64
	before *schemas.Level
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
		if first && minute == a.until {
			a.before = nil // it holds for no minute
		}
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

// levelAtStart is the event whose level held when the piece began, of a meter by levels.
func (a *accumulator) levelAtStart() *schemas.Level {
	if a.item.Meter != schemas.TimeWeighted {
		return nil
	}
	return a.before
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
