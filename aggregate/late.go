package aggregate

import (
	"maps"
	"slices"

	"github.com/reckon-billing/reckon/schemas"
)

// lateNamed is how many late events of a month are named (contract 5).
const lateNamed = 100

// lateEvents are events stored since the run before, by the first month that
// each can touch.
type lateEvents map[schemas.Month]*LateMonth

// isLate tells whether the event was stored since the run before, where that
// matters: in a resource that is derived as a whole.
func (f *feed) isLate(c *Copy) bool {
	earlier := f.plan.Earlier
	return f.noticesLate() && !earlier[len(earlier)-1].Cutoff.Contains(c.Position)
}

func (f *feed) noticesLate() bool { return f.scope.Month.IsZero() && len(f.plan.Earlier) > 0 }

// add notes an event. A provision_failed can touch what is 24 hours older than
// itself, any other event only what is not older.
func (l *lateEvents) add(f *feed, c *Copy) {
	touches := c.Time
	if c.Type == schemas.ResourceProvisionFailed {
		touches = touches.Add(-provisionWindow)
	}
	month := schemas.MonthOf(touches, f.deriver.Zone)
	if *l == nil {
		*l = lateEvents{}
	}
	m := (*l)[month]
	if m == nil {
		m = &LateMonth{Month: month}
		(*l)[month] = m
	}
	m.Count++
	if len(m.First) < lateNamed {
		m.First = append(m.First, refOf(c))
	}
}

// merge lists the months, those of the account's own late events included.
func (l lateEvents) merge(account lateEvents) []LateMonth {
	if len(l) == 0 && len(account) == 0 {
		return nil
	}
	all := lateEvents{}
	for _, part := range []lateEvents{account, l} {
		for month, m := range part {
			have := all[month]
			if have == nil {
				have = &LateMonth{Month: month}
				all[month] = have
			}
			have.Count += m.Count
			have.First = append(slices.Clip(have.First), m.First[:min(len(m.First), lateNamed-len(have.First))]...)
		}
	}
	out := make([]LateMonth, 0, len(all))
	for _, month := range slices.SortedFunc(maps.Keys(all), schemas.Month.Compare) {
		out = append(out, *all[month])
	}
	return out
}
