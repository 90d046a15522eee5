package schemas

import (
	"fmt"
	"sort"
	"time"
)

// Month is a calendar month; which instants it spans depends on the billing
// zone. It is comparable and usable as a map key.
type Month struct {
	Year  int
	Month time.Month
}

// ParseMonth reads "2026-10". Years go from 2000 to 2199, as event times do
// (contract 2).
func ParseMonth(s string) (Month, error) {
	t, err := time.Parse("2006-01", s)
	if err != nil || len(s) != 7 || t.Year() < 2000 || t.Year() >= 2200 {
		return Month{}, fmt.Errorf("%q is not a month: write year and month as in 2026-10, from 2000-01 to 2199-12", s)
	}
	return Month{t.Year(), t.Month()}, nil
}

// MonthOf is the billing month that holds the instant.
func MonthOf(t time.Time, zone *time.Location) Month {
	year, month, day := t.In(zone).Date()
	m := Month{year, month}
	// A clock that is put back over midnight shows the last day again in the next month.
	if day >= 28 && !t.Before(m.End(zone)) {
		return m.Next()
	}
	return m
}

// Start is the first instant of the month in the billing zone, in UTC: 00:00 on the
// 1st, the first of two, or where the clock is put forward over it the instant at which
// it is. This is the one place where the bounds of billing months are computed
// (contract 1).
func (m Month) Start(zone *time.Location) time.Time {
	midnight := time.Date(m.Year, m.Month, 1, 0, 0, 0, 0, time.UTC)
	ahead := func(at time.Time) time.Duration {
		_, seconds := at.In(zone).Zone()
		return time.Duration(seconds) * time.Second
	}
	// No zone is a day ahead of UTC or behind it, and none changes its clock twice in
	// two days.
	before, after := ahead(midnight.AddDate(0, 0, -1)), ahead(midnight.AddDate(0, 0, 1))
	if first := midnight.Add(-before); ahead(first) == before {
		return first
	}
	first := midnight.Add(-after)
	skipped := sort.Search(int((after-before)/time.Second), func(seconds int) bool {
		return ahead(first.Add(time.Duration(seconds)*time.Second)) == after
	})
	return first.Add(time.Duration(skipped) * time.Second)
}

// End is the first instant of the next month in the billing zone, in UTC.
func (m Month) End(zone *time.Location) time.Time { return m.Next().Start(zone) }

// Next is the month after.
func (m Month) Next() Month { return m.add(1) }

// Prev is the month before.
func (m Month) Prev() Month { return m.add(-1) }

func (m Month) add(n int) Month {
	i := m.Index() + n
	return Month{i / 12, time.Month(i%12 + 1)}
}

// Index counts months since year 0, so that months can be ordered, subtracted
// and stored as one number.
func (m Month) Index() int { return m.Year*12 + int(m.Month) - 1 }

// Compare orders months by time.
func (m Month) Compare(o Month) int { return m.Index() - o.Index() }

// Before tells whether m comes before o.
func (m Month) Before(o Month) bool { return m.Compare(o) < 0 }

// IsZero tells whether the month was never set.
func (m Month) IsZero() bool { return m == Month{} }

// String writes "2026-10".
func (m Month) String() string { return fmt.Sprintf("%04d-%02d", m.Year, int(m.Month)) }
