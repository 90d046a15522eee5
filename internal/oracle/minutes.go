package oracle

import (
	"slices"

	"github.com/reckon-billing/reckon/schemas"
)

// msPerMinute: minutes are counted from 1970, UTC.
const msPerMinute = 60_000

// minuteOf is the minute that holds the instant, also before 1970.
func minuteOf(ms int64) int64 {
	m := ms / msPerMinute
	if ms%msPerMinute < 0 {
		m--
	}
	return m
}

// run is a number of minutes, [from, to), that belong to one stretch.
type run struct {
	from, to int64
	of       *stretch
	// period holds the minutes when the stretch is a running one; else nil.
	period *period
}

// period is a reconciliation period before it is clipped to months.
type period struct {
	from, to int64
	status
	// usage are the events of its minutes that name one of its metered items, in
	// event order.
	usage []*Copy
}

// placed is a resource with its minutes dealt out and its usage in them.
type placed struct {
	runs    []run
	periods []*period
	// levels are, of each life and item, all values in the life's minutes, in
	// event order.
	levels    map[levelKey][]*Copy
	unmatched []anomaly
}

type levelKey struct {
	life *life
	item string
}

// owner says to which stretch the minute belongs: "each minute belongs to the
// last configuration that was in force at any instant of it". A stretch of zero
// length was never in force; a suspended one is asked only when none ran.
func owner(stretches []stretch, minute int64) *stretch {
	start, end := minute*msPerMinute, (minute+1)*msPerMinute
	var ran, there *stretch
	for i := range stretches {
		s := &stretches[i]
		if s.from == s.to || s.from >= end || s.to <= start {
			continue
		}
		there = s
		if s.running {
			ran = s
		}
	}
	if ran != nil {
		return ran
	}
	return there
}

// dealt asks for every minute who owns it. Between the minutes in which a stretch
// begins or after which one ends the answer is the same, so only those are asked.
func dealt(stretches []stretch) []run {
	var marks []int64
	for i := range stretches {
		if s := &stretches[i]; s.from < s.to {
			marks = append(marks, minuteOf(s.from), minuteOf(s.to-1)+1)
		}
	}
	slices.Sort(marks)
	marks = slices.Compact(marks)
	var runs []run
	for i := 1; i < len(marks); i++ {
		if of := owner(stretches, marks[i-1]); of != nil {
			runs = append(runs, run{from: marks[i-1], to: marks[i], of: of})
		}
	}
	return runs
}

// place deals out the minutes, joins what is one period, and puts every usage
// event where its minute is.
func place(h *history) placed {
	p := placed{runs: dealt(h.stretches), levels: map[levelKey][]*Copy{}}
	for i := range p.runs {
		r := &p.runs[i]
		if !r.of.running {
			continue
		}
		if n := len(p.periods); n > 0 && p.periods[n-1].to == r.from && onePeriod(&p.periods[n-1].status, &r.of.status) {
			r.period = p.periods[n-1]
			r.period.to = r.to
			continue
		}
		r.period = &period{from: r.from, to: r.to, status: r.of.status}
		p.periods = append(p.periods, r.period)
	}
	for _, u := range h.usage {
		p.put(u)
	}
	return p
}

// onePeriod: touching periods of one life with equal configurations under the
// same coupon are one.
func onePeriod(a, b *status) bool {
	return a.life == b.life && a.coupon == b.coupon && schemas.EqualItems(a.items, b.items)
}

func (p *placed) put(u *Copy) {
	minute := minuteOf(u.Time.UnixMilli())
	i, _ := slices.BinarySearchFunc(p.runs, minute, func(r run, m int64) int {
		if r.to <= m {
			return -1
		}
		return 1
	})
	if i == len(p.runs) || p.runs[i].from > minute {
		p.unmatched = append(p.unmatched, anomaly{u, schemas.UnmatchedUsage})
		return
	}
	r := &p.runs[i]
	key := levelKey{r.of.life, u.Item}
	p.levels[key] = append(p.levels[key], u)
	if r.period == nil || !slices.ContainsFunc(r.period.items, func(i schemas.Item) bool {
		return i.Name == u.Item && i.Meter != schemas.NoMeter
	}) {
		p.unmatched = append(p.unmatched, anomaly{u, schemas.UnmatchedUsage})
		return
	}
	r.period.usage = append(r.period.usage, u)
}
