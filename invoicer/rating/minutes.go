package rating

import "github.com/reckon-billing/reckon/schemas"

// ItemMinutes is the conservation law of a sealed month (contract 5.4), counted
// in minutes an item.
type ItemMinutes struct {
	// Lived counts each item of each period.
	Lived int64
	// OnLines counts what the lines say, Excluded the fixed quantities of prepaid
	// periods.
	OnLines, Excluded int64
}

// Count counts one period and the lines made of it. Lived and Excluded come from
// the period and OnLines from the lines, so a line that was lost, made twice or
// given other minutes shows as a difference.
func Count(p *schemas.Period, lines []schemas.Line) ItemMinutes {
	var m ItemMinutes
	minutes := p.Minutes()
	for i := range p.Items {
		m.Lived += minutes
		if excluded(p, &p.Items[i]) {
			m.Excluded += minutes
		}
	}
	for i := range lines {
		m.OnLines += lines[i].Minutes
	}
	return m
}

// Add is the sum of two counts.
func (m ItemMinutes) Add(o ItemMinutes) ItemMinutes {
	return ItemMinutes{m.Lived + o.Lived, m.OnLines + o.OnLines, m.Excluded + o.Excluded}
}

// Balanced tells whether every item-minute lived is on a line or excluded.
func (m ItemMinutes) Balanced() bool { return m.Lived == m.OnLines+m.Excluded }
