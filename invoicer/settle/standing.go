package settle

import (
	"github.com/shopspring/decimal"

	"github.com/reckon-billing/reckon/schemas"
)

// Standing is how a line stands over all rows that were invoiced for it so far. It
// takes them in order: by run, then by number.
//
// Rows of a line alternate: one invoices it, the next takes it back. An older version
// took nothing back: a late event brought one row more, the line as it was now with
// what its amounts differed by (0 minutes where it was gone). Its rows have no number.
type Standing struct {
	// Line is the line as it was last invoiced; its amounts and quantity are those of
	// that row alone.
	Line schemas.Line
	// Quantity and the amounts are the sums over all rows.
	Quantity decimal.Decimal
	schemas.Amounts
	// Invoiced tells that the line is not taken back.
	Invoiced bool
	// Exact tells that the newest row is this version's: minutes and quantity are right
	// too. An older version corrected amounts, and let the rest be.
	Exact bool
	// gone tells that the newest row is an older version's, of a line that was gone.
	gone bool
}

// Standings are those of the lines that the rows are of.
func Standings(rows []schemas.Line) map[schemas.LineKey]*Standing {
	all := map[schemas.LineKey]*Standing{}
	for i := range rows {
		s := all[rows[i].Key()]
		if s == nil {
			s = &Standing{}
			all[rows[i].Key()] = s
		}
		s.Take(&rows[i])
	}
	return all
}

// Take takes the next row of the line.
func (s *Standing) Take(row *schemas.Line) {
	s.Quantity, s.Amounts, s.Exact = s.Quantity.Add(row.Quantity), s.Add(row.Amounts), row.Number > 0
	switch {
	case !s.Invoiced:
		s.Line, s.Invoiced = *row, true
	case row.Number > 0:
		s.Invoiced, s.gone = false, false
	case row.Minutes == 0:
		s.gone = true
	default:
		s.Line, s.gone = *row, false
	}
}

// Minutes are those of the line, 0 where it is taken back.
func (s *Standing) Minutes() int64 {
	if !s.Invoiced {
		return 0
	}
	return s.Line.Minutes
}

// Is tells whether what was invoiced for the line is what it comes to now: nil where
// the events no longer give it.
func (s *Standing) Is(now *schemas.Line) bool {
	if stands := s.Invoiced && !s.gone; now == nil || !stands {
		return now == nil && !stands
	}
	return s.Line.Minutes == now.Minutes && s.Line.Quantity.Equal(now.Quantity) && s.Equal(now.Amounts)
}

// Back is the row that takes the line back: as it was last invoiced, with the sign of
// quantity and amounts turned. Where an older version's rows are among them it takes
// back their sums, so that all rows add up to nothing.
func (s *Standing) Back() schemas.Line {
	back := s.Line
	back.Quantity, back.Amounts = s.Quantity.Neg(), s.Neg()
	return back
}
