package settle

import (
	"cmp"
	"slices"
	"strings"

	"github.com/reckon-billing/reckon/schemas"
)

// Corrections are the rows by which one resource's sealed months are corrected, each
// month's in the order of its adjustment; a month that is right has none. The present
// lines are those that the events come to now, the invoiced ones are in order, by run
// and number.
func Corrections(present map[schemas.Month][]schemas.Line, invoiced []schemas.Line) map[schemas.Month][]schemas.Line {
	soFar, changed := Standings(invoiced), map[schemas.Month][]correction{}
	for month, lines := range present {
		for i := range lines {
			now, key := &lines[i], lines[i].Key()
			was := soFar[key]
			if delete(soFar, key); was == nil || !was.Is(now) {
				changed[month] = append(changed[month], correction{line: now, was: was})
			}
		}
	}
	for key, was := range soFar {
		if !was.Is(nil) {
			changed[key.Month] = append(changed[key.Month], correction{line: &was.Line, was: was, gone: 1})
		}
	}
	rows := map[schemas.Month][]schemas.Line{}
	for month := range changed {
		rows[month] = rowsOf(changed[month])
	}
	return rows
}

// correction is of one line.
type correction struct {
	// line is as it is now or, where it is gone, as it was last invoiced.
	line *schemas.Line
	// gone is 1 where the events no longer give the line.
	gone int
	// was is how it stands; nil where nothing was invoiced for it so far.
	was *Standing
}

// rowsOf are the rows of corrections in the order of their document: by period start,
// the present lines in item order, then those that are gone. Of each comes what takes
// it back, unless it is taken back, then the line as it is now.
func rowsOf(corrections []correction) []schemas.Line {
	slices.SortFunc(corrections, func(a, b correction) int {
		return cmp.Or(
			a.line.PeriodStart.Compare(b.line.PeriodStart), cmp.Compare(a.gone, b.gone), cmp.Compare(a.line.Position, b.line.Position),
			strings.Compare(a.line.Item.Name, b.line.Item.Name), strings.Compare(a.line.CouponCode, b.line.CouponCode),
		)
	})
	var rows []schemas.Line
	for _, c := range corrections {
		if c.was != nil && c.was.Invoiced {
			rows = append(rows, c.was.Back())
		}
		if c.gone == 0 {
			rows = append(rows, *c.line)
		}
	}
	return rows
}
