package schemas

import (
	"fmt"
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
	y, m, _ := t.In(zone).Date()
	return Month{y, m}
}

// Start is the first instant of the month in the billing zone, in UTC. This is
// the one place where the bounds of billing months are computed (contract 1).
func (m Month) Start(zone *time.Location) time.Time {
	return time.Date(m.Year, m.Month, 1, 0, 0, 0, 0, zone).UTC()
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
