package invoicer

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/reckon-billing/reckon/invoicer/rating"
	"github.com/reckon-billing/reckon/schemas"
	"github.com/reckon-billing/reckon/schemas/tables"
)

// writer gathers what one run issues, account by account, and writes it in
// batches. An account's headers wait until all of the account is written.
type writer struct {
	v        *Invoicer
	ctx      context.Context //nolint:containedctx // lives as long as one attempt
	plan     schemas.Derivation
	strays   *search
	invoiced *schemas.Sorted[schemas.Line]
	// unnumbered makes again what an older version issued.
	unnumbered bool
	// left is nil where the run is carried out whole.
	left *leftovers

	account string
	minutes schemas.ItemMinutes
	// batch gathers; other is being written meanwhile, while writing is not nil.
	batch, other Batch
	writing      chan error
	// headers, with their hashes, and lived are those of the account, unless it isWide;
	// totals includes them only once it ended.
	headers []schemas.Invoice
	hashes  []schemas.InvoiceHash
	lived   []schemas.ResourceMinutes
	hasher  tables.Hasher
	totals  Totals
	parked  map[string]string
	// wide are the accounts that ended well and have more headers than are held.
	isWide bool
	wide   []string
	// fat is what the batch weighs beyond its rows, heldFat what is held.
	fat, heldFat int
}

// gather takes one resource.
func (w *writer) gather(d schemas.Derived) error {
	if d.AccountID != w.account {
		w.endAccount()
		w.account = d.AccountID
	}
	if _, parked := w.parked[d.AccountID]; parked {
		return nil
	}
	if d.Rederived {
		w.v.Metrics.rederived()
	}
	if d.Err != nil {
		w.park(d.Err)
		return nil //nolint:nilerr // it breaks the account, not the run
	}
	before := w.mark()
	if err := w.price(d); err != nil {
		return err
	}
	if w.left != nil {
		resource := schemas.ResourceKey{AccountID: d.AccountID, ResourceID: d.ResourceID}
		if err := w.left.derive(resource, w.keysSince(before), w.parked); err != nil {
			return err
		}
	}
	w.fat += fatOf(&d)
	w.holdNoMore()
	return w.flushFull()
}

// price prices one resource: new invoices for the month to be sealed,
// adjustments for the sealed ones.
func (w *writer) price(d schemas.Derived) error {
	rater := rating.Rater{Currency: w.v.Currency}
	present := map[schemas.Month][]schemas.Line{}
	var lived []schemas.ResourceMinutes
	for i := range d.Periods {
		p := &d.Periods[i]
		lines := rater.Lines(p)
		if d.Rederived && p.Month != w.plan.Last {
			continue // priced for what it uses of a coupon; it is sealed as it is
		}
		lived = minutesOf(lived, w.plan.Run.Number, p, lines)
		w.minutes = w.minutes.Add(rating.Count(p, lines))
		if w.plan.New && p.Month == w.plan.Last {
			p.Run = w.plan.Run.Number
			w.batch.Periods = append(w.batch.Periods, *p)
			w.invoice(p, lines)
			continue
		}
		present[p.Month] = append(present[p.Month], lines...)
	}
	w.lived = append(w.lived, lived...)
	if d.Snapshot != nil {
		if b := d.Snapshot.Balance; b != nil {
			d.Snapshot.CouponUsed = rater.Used(b)
		}
		if b := d.Snapshot.Before; b != nil {
			d.Snapshot.UsedBefore = rater.Used(b)
		}
		d.Snapshot.Run = w.plan.Run.Number
		w.batch.Snapshots = append(w.batch.Snapshots, *d.Snapshot)
	}
	if !d.FullHistory || len(w.plan.Earlier) == 0 || d.ResourceID == "" {
		return nil
	}
	before, err := w.invoiced.Take(schemas.ResourceKey{AccountID: d.AccountID, ResourceID: d.ResourceID})
	if err != nil {
		return fmt.Errorf("read what was invoiced for resource %q of account %q: %w", d.ResourceID, d.AccountID, err)
	}
	w.adjust(d, present, before)
	return nil
}

// mark is how much has gathered.
type mark struct{ periods, lines, snapshots, minutes, hashes int }

func (w *writer) mark() mark {
	return mark{len(w.batch.Periods), len(w.batch.Lines), len(w.batch.Snapshots), len(w.lived), len(w.hashes)}
}

// keysSince are the keys of all that gathered since.
func (w *writer) keysSince(m mark) []tables.RowKey {
	var keys []tables.RowKey
	keys = appendKeys(keys, w.batch.Periods[m.periods:], tables.PeriodKey)
	keys = appendKeys(keys, w.batch.Lines[m.lines:], tables.LineKey)
	keys = appendKeys(keys, w.batch.Snapshots[m.snapshots:], tables.SnapshotKey)
	keys = appendKeys(keys, w.lived[m.minutes:], tables.MinutesKey)
	return appendKeys(keys, w.hashes[m.hashes:], tables.HashKey)
}

func appendKeys[T any](keys []tables.RowKey, rows []T, of func(*T) tables.RowKey) []tables.RowKey {
	for i := range rows {
		keys = append(keys, of(&rows[i]))
	}
	return keys
}

// invoice makes the invoice of one period; a period without lines has none.
func (w *writer) invoice(p *schemas.Period, lines []schemas.Line) {
	if len(lines) == 0 {
		return
	}
	w.issue(periodInvoice(p, lines[0].InvoiceCode), lines)
}

// periodInvoice is the header of a period's invoice, without its totals.
func periodInvoice(p *schemas.Period, code string) schemas.Invoice {
	return schemas.Invoice{
		Code: code, Kind: schemas.KindInvoice, AccountID: p.AccountID, ResourceID: p.ResourceID,
		Month: p.Month, PeriodStart: p.Start, PeriodEnd: p.End,
	}
}

// issue takes an invoice: its header, completed over its lines, and them.
func (w *writer) issue(h schemas.Invoice, lines []schemas.Line) {
	h = header(w.plan.Run, h, lines)
	w.batch.Lines = append(w.batch.Lines, lines...)
	w.headers, w.heldFat = append(w.headers, h), w.heldFat+len(h.Late)/itemsOfARow
	w.hashes = append(w.hashes, w.hash(&w.headers[len(w.headers)-1], lines))
}

// header completes an invoice over its lines, which stand in its order: which run
// issues it and them, their numbers, and their totals.
func header(run schemas.Run, h schemas.Invoice, lines []schemas.Line) schemas.Invoice {
	h.Run, h.CreatedAt = run.Number, run.CreatedAt
	for i := range lines {
		lines[i].Run, lines[i].Number = run.Number, i+1
	}
	h.Lines, h.Amounts = len(lines), rating.Total(lines)
	return h
}

// park leaves the account for a later run, and forgets what is not yet written
// of it.
func (w *writer) park(why error) {
	w.parked[w.account] = why.Error()
	if w.left != nil {
		w.left.park(w.account)
	}
	w.dropHeld()
	w.minutes, w.isWide = schemas.ItemMinutes{}, false
	w.batch.Lines = withoutLast(w.batch.Lines, func(l *schemas.Line) bool { return l.AccountID == w.account })
	w.batch.Periods = withoutLast(w.batch.Periods, func(p *schemas.Period) bool { return p.AccountID == w.account })
	w.batch.Snapshots = withoutLast(w.batch.Snapshots, func(e *schemas.Snapshot) bool { return e.AccountID == w.account })
	w.batch.Anomalies = withoutLast(w.batch.Anomalies, func(e *schemas.Anomaly) bool { return e.AccountID == w.account })
}

// withoutLast are the rows without the last ones that are of something: what is of the
// account lies behind all else, of which there may be much (O9).
func withoutLast[T any](rows []T, of func(*T) bool) []T {
	n := len(rows)
	for n > 0 && of(&rows[n-1]) {
		n--
	}
	return rows[:n]
}

// endAccount lets the account's headers go, or notes that it is wide, unless its
// minutes do not add up (contract 5.4).
func (w *writer) endAccount() {
	if _, parked := w.parked[w.account]; !parked && !w.minutes.Balanced() {
		w.park(fmt.Errorf("of %d item-minutes lived %d are on lines and %d excluded",
			w.minutes.Lived, w.minutes.OnLines, w.minutes.Excluded))
	}
	if w.isWide {
		w.wide = append(w.wide, w.account)
	}
	w.release()
	w.minutes, w.isWide = schemas.ItemMinutes{}, false
}

// parkedList are the accounts that stay parked after this attempt, by name:
// those that broke, and those that wait for an earlier run.
func (w *writer) parkedList(waiting []Parked) []Parked {
	out := slices.Clone(waiting)
	for account, reason := range w.parked {
		out = append(out, Parked{account, reason})
	}
	slices.SortFunc(out, func(x, y Parked) int { return strings.Compare(x.AccountID, y.AccountID) })
	return out
}
