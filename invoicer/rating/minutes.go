package rating

import "github.com/reckon-billing/reckon/schemas"

// Count counts one period and the lines made of it. Lived and Excluded come from
// the period and OnLines from the lines, so a line that was lost, made twice or
// given other minutes shows as a difference.
func Count(p *schemas.Period, lines []schemas.Line) schemas.ItemMinutes {
	var m schemas.ItemMinutes
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
