package fold

import (
	"time"

	"github.com/reckon-billing/reckon/schemas"
)

// interval is [from, to): in milliseconds where events are folded, in minutes
// since 1970 UTC once cut.
type interval struct{ from, to int64 }

const msPerMinute = int64(time.Minute / time.Millisecond)

func minuteOf(t time.Time) int64 { return t.UnixMilli() / msPerMinute }

func timeOf(minute int64) time.Time { return time.UnixMilli(minute * msPerMinute).UTC() }

// firstMinute and endMinute are the minutes that the milliseconds touch.
func (i interval) firstMinute() int64 { return i.from / msPerMinute }

func (i interval) endMinute() int64 {
	if i.to == forever {
		return forever
	}
	return (i.to + msPerMinute - 1) / msPerMinute
}

// cut gives each minute to the last interval that was in force at any instant
// of it (contract 3). The intervals ascend and do not overlap; an empty one was
// never in force. at reaches the interval inside a T. What is left without a
// minute is dropped.
func cut[T any](all []T, at func(*T) *interval) []T {
	out := make([]T, 0, len(all))
	for i := range all {
		if x := at(&all[i]); x.from < x.to {
			out = append(out, all[i])
		}
	}
	kept := out[:0]
	for i := range out {
		x := at(&out[i])
		minutes := interval{x.firstMinute(), x.endMinute()}
		if i+1 < len(out) {
			minutes.to = min(minutes.to, at(&out[i+1]).firstMinute())
		}
		if minutes.from < minutes.to {
			kept = append(kept, out[i])
			*at(&kept[len(kept)-1]) = minutes
		}
	}
	return kept
}

// lastIn is the interval that the minute is given to by cut, nil for none.
func lastIn[T any](all []T, minute int64, at func(*T) *interval) *T {
	for i := len(all) - 1; i >= 0; i-- {
		x := at(&all[i])
		if x.from < x.to && x.firstMinute() <= minute {
			if minute < x.endMinute() {
				return &all[i]
			}
			break
		}
	}
	return nil
}

// merge makes one of touching spans of one life with equal configurations under
// the same coupon (contract 3).
func merge(spans []span) []span {
	out := spans[:0]
	for _, s := range spans {
		if n := len(out); n > 0 && out[n-1].to == s.from && out[n-1].same(s.configuration) {
			out[n-1].to, out[n-1].closed = s.to, s.closed
			out[n-1].reopened = append(out[n-1].reopened, s.opened)
			continue
		}
		out = append(out, s)
	}
	return out
}

func (c *configuration) same(o *configuration) bool {
	return c.life == o.life && sameBalance(c.balance, o.balance) && schemas.EqualItems(c.items, o.items)
}

func sameBalance(a, b *couponBalance) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Source == b.Source && a.ID == b.ID
}

// calendar clips periods to the billing months from first to last.
type calendar struct {
	// bounds are the minutes at which the months begin, and the last one's end.
	bounds []int64
	months []schemas.Month
}

func newCalendar(first, last schemas.Month, zone *time.Location) calendar {
	var c calendar
	for m := first; !last.Before(m); m = m.Next() {
		c.bounds = append(c.bounds, minuteOf(m.Start(zone)))
		c.months = append(c.months, m)
	}
	c.bounds = append(c.bounds, minuteOf(last.End(zone)))
	return c
}

// piece is a span within one billing month, or before or after all of them.
type piece struct {
	span
	// month is zero outside the calendar: never billed here, but usage in it is
	// matched.
	month schemas.Month
	// meters are those of the metered items, in order, once metering began; byName finds
	// one of many.
	meters []accumulator
	byName map[string]int
}

// clip cuts merged spans where the calendar's months begin.
func (c calendar) clip(spans []span) []piece {
	out := make([]piece, 0, len(spans)+1) // the last one often goes on past a bound
	next := 0                             // the first bound that lies ahead: spans ascend
	for _, s := range spans {
		for next < len(c.bounds) && c.bounds[next] <= s.from {
			next++
		}
		for i := next; s.from < s.to; i++ {
			to := int64(forever)
			if i < len(c.bounds) {
				to = c.bounds[i]
			}
			p := piece{span: s}
			if 0 < i && i <= len(c.months) {
				p.month = c.months[i-1]
			}
			if to < s.to {
				p.to, p.closed = to, nil
			}
			out = append(out, p)
			s.from = p.to
		}
	}
	return out
}
