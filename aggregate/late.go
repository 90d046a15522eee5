package aggregate

import (
	"maps"
	"slices"

	"github.com/reckon-billing/reckon/schemas"
)

// lateEvents are events stored since the run before, by the first month that
// each can touch.
type lateEvents map[schemas.Month]*schemas.LateMonth

// isLate tells whether the event was stored since the run before, where that
// matters: in a resource that is derived as a whole.
func (f *feed) isLate(c *Copy) bool {
	earlier := f.plan.Earlier
	return f.noticesLate() && !earlier[len(earlier)-1].Cutoff.Contains(c.Position)
}

func (f *feed) noticesLate() bool { return f.scope.Month.IsZero() && len(f.plan.Earlier) > 0 }

// add notes an event, in the order of the fold: lifecycle events before usage. A
// provision_failed can touch what is 24 hours older than itself, any other event
// only what is not older, but see reach.
func (l *lateEvents) add(f *feed, c *Copy) {
	touches := c.Time
	if c.Type == schemas.ResourceProvisionFailed {
		touches = touches.Add(-provisionWindow)
	}
	m := l.of(schemas.MonthOf(touches, f.deriver.Zone))
	m.Count++
	if len(m.First) < schemas.LateNamed {
		m.First = append(m.First, refOf(c))
	}
}

// reach notes a provision_failed, late or not. What came late before it in the same
// 24 hours can split or join the lives of which it makes one void, and so touches
// what it does.
func (l *lateEvents) reach(f *feed, c *Copy) {
	month, touched := schemas.MonthOf(c.Time, f.deriver.Zone), schemas.MonthOf(c.Time.Add(-provisionWindow), f.deriver.Zone)
	if late := (*l)[month]; late != nil && touched != month { // all of it is of this first day
		delete(*l, month)
		l.of(touched).Take(late)
	}
}

// of is what is noted for a month.
func (l *lateEvents) of(month schemas.Month) *schemas.LateMonth {
	if *l == nil {
		*l = lateEvents{}
	}
	m := (*l)[month]
	if m == nil {
		m = &schemas.LateMonth{Month: month}
		(*l)[month] = m
	}
	return m
}

// merge lists the months, those of the account's own late events included.
func (l lateEvents) merge(account lateEvents) []schemas.LateMonth {
	if len(l) == 0 && len(account) == 0 {
		return nil
	}
	all := lateEvents{}
	for _, part := range []lateEvents{account, l} {
		for month, m := range part {
			all.of(month).Take(m)
		}
	}
	out := make([]schemas.LateMonth, 0, len(all))
	for _, month := range slices.SortedFunc(maps.Keys(all), schemas.Month.Compare) {
		out = append(out, *all[month])
	}
	return out
}
