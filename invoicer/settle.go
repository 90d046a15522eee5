package invoicer

import (
	"maps"
	"slices"

	"github.com/reckon-billing/reckon/invoicer/settle"
	"github.com/reckon-billing/reckon/schemas"
)

// adjust compares the lines of the sealed months, as all events now derive them,
// with what was invoiced for each so far, and makes an adjustment for each month
// that differs, oldest first.
func (w *writer) adjust(d schemas.Derived, present map[schemas.Month][]schemas.Line, invoiced []schemas.Line) {
	corrections := settle.Corrections
	if w.unnumbered {
		corrections = settle.OlderCorrections
	}
	changed := corrections(present, invoiced)
	for _, month := range slices.SortedFunc(maps.Keys(changed), schemas.Month.Compare) {
		w.adjustMonth(d, month, changed[month])
	}
}

// adjustMonth makes one adjustment: of one resource, corrected month and run.
func (w *writer) adjustMonth(d schemas.Derived, month schemas.Month, lines []schemas.Line) {
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
