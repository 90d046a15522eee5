package settle

import (
	"cmp"
	"slices"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/reckon-billing/reckon/schemas"
)

// OlderCorrections are [Corrections] as versions made them whose lines have no numbers:
// by them it is known what such an adjustment was. A line whose amounts differ has one
// row, the line as it is now with the difference of its amounts; one that is gone has no
// minutes and no quantity there, and stands behind the present lines of its period.
func OlderCorrections(present map[schemas.Month][]schemas.Line, invoiced []schemas.Line) map[schemas.Month][]schemas.Line {
	soFar, rows := Standings(invoiced), map[schemas.Month][]schemas.Line{}
	differ := func(l schemas.Line, by schemas.Amounts) {
		if !by.IsZero() {
			l.Amounts = by
			rows[l.Month] = append(rows[l.Month], l)
		}
	}
	for _, lines := range present {
		for i := range lines {
			was := soFar[lines[i].Key()]
			if was == nil {
				was = &Standing{}
			}
			delete(soFar, lines[i].Key())
			differ(lines[i], lines[i].Sub(was.Amounts))
		}
	}
	for _, was := range soFar {
		gone := was.Line
		gone.Minutes, gone.Quantity, gone.Position = 0, decimal.Zero, gone.Position+gonePosition
		differ(gone, was.Neg())
	}
	for _, lines := range rows {
		slices.SortFunc(lines, func(a, b schemas.Line) int {
			return cmp.Or(a.PeriodStart.Compare(b.PeriodStart), cmp.Compare(a.Position, b.Position),
				strings.Compare(a.Item.Name, b.Item.Name), strings.Compare(a.CouponCode, b.CouponCode))
		})
	}
	return rows
}

// gonePosition is more than the items that a configuration may have.
const gonePosition = 1000
