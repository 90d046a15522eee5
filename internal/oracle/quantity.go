package oracle

import (
	"math/big"
	"sort"

	"github.com/reckon-billing/reckon/schemas"
)

// quantityPlaces is how many decimals a quantity has at most (contract 2).
const quantityPlaces = 9

// measure turns the usage in a clipped period into the item's quantity (contract
// 2, meter). Usage is that of the item in the period; levels are all values of
// the item in the minutes of the period's life. Both are in event order.
func measure(meter schemas.Meter, from, to int64, usage, levels []*Copy) *big.Rat {
	if meter == schemas.TimeWeighted {
		return timeWeighted(from, to, levels)
	}
	if len(usage) == 0 {
		return new(big.Rat)
	}
	sum, least, most := new(big.Rat), rat(usage[0].Value), rat(usage[0].Value)
	distinct := map[string]bool{}
	for _, u := range usage {
		v := rat(u.Value)
		sum.Add(sum, v)
		if v.Cmp(least) < 0 {
			least = v
		}
		if v.Cmp(most) > 0 {
			most = v
		}
		distinct[v.RatString()] = true
	}
	count := big.NewRat(int64(len(usage)), 1)
	switch meter {
	case schemas.Sum:
		return sum
	case schemas.Count:
		return count
	case schemas.Max:
		return most
	case schemas.Min:
		return least
	case schemas.Last:
		return rat(usage[len(usage)-1].Value)
	case schemas.Avg:
		return rounded(sum.Quo(sum, count), quantityPlaces)
	case schemas.Unique:
		return big.NewRat(int64(len(distinct)), 1)
	case schemas.NoMeter, schemas.TimeWeighted:
	}
	return new(big.Rat)
}

// timeWeighted: each value holds from its minute until the next one's; at the
// start the last earlier one of the life holds, else 0.
func timeWeighted(from, to int64, levels []*Copy) *big.Rat {
	level, at, integral := new(big.Rat), from, new(big.Rat)
	hold := func(until int64) {
		integral.Add(integral, new(big.Rat).Mul(level, big.NewRat(until-at, 1)))
		at = until
	}
	for _, u := range levels {
		minute := minuteOf(u.Time.UnixMilli())
		if minute >= to {
			break
		}
		if minute > at {
			hold(minute)
		}
		level = rat(u.Value)
	}
	hold(to)
	return rounded(integral.Quo(integral, big.NewRat(to-from, 1)), quantityPlaces)
}

// within are the events whose minute is in [from, to), of a list in event order.
func within(events []*Copy, from, to int64) []*Copy {
	first := sort.Search(len(events), func(i int) bool { return minuteOf(events[i].Time.UnixMilli()) >= from })
	last := sort.Search(len(events), func(i int) bool { return minuteOf(events[i].Time.UnixMilli()) >= to })
	return events[first:last]
}

// allowance is what is left in a month of each item's free quantity.
type allowance map[string]*big.Rat

// allowances: for sum and count one per item and month, the largest that its
// periods of the month give.
func allowances(clips []clip) allowance {
	left := allowance{}
	for _, c := range clips {
		for _, i := range c.items {
			if i.Meter != schemas.Sum && i.Meter != schemas.Count {
				continue
			}
			free := rat(i.FreeQuantity)
			if left[i.Name] == nil || left[i.Name].Cmp(free) < 0 {
				left[i.Name] = free
			}
		}
	}
	return left
}

// billed takes the allowance off what was measured; never below 0.
func (a allowance) billed(i *schemas.Item, measured *big.Rat) *big.Rat {
	free := rat(i.FreeQuantity)
	shared := i.Meter == schemas.Sum || i.Meter == schemas.Count
	if shared {
		free = a[i.Name]
	}
	used := free
	if measured.Cmp(free) < 0 {
		used = measured
	}
	if shared {
		a[i.Name] = new(big.Rat).Sub(free, used)
	}
	return new(big.Rat).Sub(measured, used)
}
