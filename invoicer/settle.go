package invoicer

import (
	"cmp"
	"slices"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/reckon-billing/reckon/schemas"
)

// adjust compares the lines of the sealed months, as all events now derive them,
// with what was invoiced for each so far, and makes an adjustment for each month
// that differs, oldest first.
func (w *writer) adjust(d schemas.Derived, present map[schemas.Month][]schemas.Line, invoiced []schemas.Line) {
	soFar, last := sumInvoiced(invoiced)
	changed := map[schemas.Month][]schemas.Line{}
	for month, lines := range present {
		for i := range lines {
			key := lines[i].Key()
			if was := soFar[key]; !lines[i].Equal(was) {
				l := lines[i]
				l.Amounts = l.Sub(was)
				changed[month] = append(changed[month], l)
			}
			delete(soFar, key)
		}
	}
	for key, was := range soFar {
		if !was.IsZero() {
			l := last[key]
			l.Amounts = schemas.Amounts{}.Sub(was)
			l.Minutes, l.Quantity = 0, decimal.Zero
			// After the present lines of its period, which number from 0 to 99.
			l.Position = l.Position%gonePosition + gonePosition
			changed[key.Month] = append(changed[key.Month], l)
		}
	}
	months := make([]schemas.Month, 0, len(changed))
	for m := range changed {
		months = append(months, m)
	}
	slices.SortFunc(months, schemas.Month.Compare)
	for _, m := range months {
		w.adjustMonth(d, m, changed[m])
	}
}

// gonePosition is added to the position of a line that is gone: more than the
// items that a configuration may have.
const gonePosition = 1000

// sumInvoiced adds up what was invoiced for each line, and keeps its last row.
func sumInvoiced(invoiced []schemas.Line) (map[schemas.LineKey]schemas.Amounts, map[schemas.LineKey]schemas.Line) {
	soFar, last := map[schemas.LineKey]schemas.Amounts{}, map[schemas.LineKey]schemas.Line{}
	for i := range invoiced {
		key := invoiced[i].Key()
		soFar[key] = soFar[key].Add(invoiced[i].Amounts)
		last[key] = invoiced[i]
	}
	return soFar, last
}

// adjustMonth makes one adjustment: of one resource, corrected month and run.
func (w *writer) adjustMonth(d schemas.Derived, month schemas.Month, lines []schemas.Line) {
	slices.SortFunc(lines, func(a, b schemas.Line) int {
		return cmp.Or(a.PeriodStart.Compare(b.PeriodStart), cmp.Compare(a.Position, b.Position), strings.Compare(a.CouponCode, b.CouponCode))
	})
	code := schemas.AdjustmentCode(d.AccountID, d.ResourceID, month, w.plan.Run.Number)
	end := lines[0].PeriodEnd
	for i := range lines {
		lines[i].InvoiceCode = code
		if lines[i].PeriodEnd.After(end) {
			end = lines[i].PeriodEnd
		}
	}
	h := schemas.Invoice{
		Code: code, Kind: schemas.KindAdjustment, AccountID: d.AccountID, ResourceID: d.ResourceID,
		Month: month, PeriodStart: lines[0].PeriodStart, PeriodEnd: end,
	}
	// Later months' events cannot have changed this one.
	for _, late := range d.Late {
		if month.Before(late.Month) {
			break
		}
		h.LateEvents += late.Count
		h.Late = append(h.Late, late.First[:min(len(late.First), schemas.LateNamed-len(h.Late))]...)
	}
	w.issue(h, lines)
}

// sortedLines are invoiced lines, to be taken resource by resource.
func sortedLines(cursor schemas.Cursor[schemas.Line]) *schemas.Sorted[schemas.Line] {
	return &schemas.Sorted[schemas.Line]{Cursor: cursor, Of: func(l *schemas.Line) schemas.ResourceKey {
		return schemas.ResourceKey{AccountID: l.AccountID, ResourceID: l.ResourceID}
	}}
}
