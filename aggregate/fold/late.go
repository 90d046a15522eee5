package fold

import (
	"maps"
	"slices"
	"time"

	"github.com/reckon-billing/reckon/schemas"
)

// lateEvents are events stored since the run before, by the first month that
// each can touch.
type lateEvents map[schemas.Month]*schemas.LateMonth

// add notes an event, in the order of the fold: lifecycle events before usage. A
// provision_failed can touch what is 24 hours older than itself, any other event
// only what is not older, but see reach.
func (l *lateEvents) add(e *schemas.Event, ref schemas.EventRef, zone *time.Location) {
	touches := e.Time
	if e.Type == schemas.ResourceProvisionFailed {
		touches = touches.Add(-ProvisionWindow)
	}
	m := l.of(schemas.MonthOf(touches, zone))
	m.Count++
	if len(m.First) < schemas.LateNamed {
		m.First = append(m.First, ref)
	}
}

// reach notes a provision_failed, late or not. What came late before it in the same
// 24 hours can split or join the lives of which it makes one void, and so touches
// what it does.
func (l *lateEvents) reach(failed time.Time, zone *time.Location) {
	month, touched := schemas.MonthOf(failed, zone), schemas.MonthOf(failed.Add(-ProvisionWindow), zone)
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
