package invoicer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/reckon-billing/reckon/invoicer/rating"
	"github.com/reckon-billing/reckon/schemas"
)

// carryOut does what the run at the index was written down for: all of it, or
// only the given accounts, which an earlier attempt parked. Everything follows
// from the run as it is stored, so doing it again writes the same.
func (v *Invoicer) carryOut(ctx context.Context, b *books, index int, only []string) (Seal, error) {
	run, earlier := b.runs[index], b.runs[:index]
	l := v.look(ctx, run, earlier)
	defer l.stop()
	before := books{runs: earlier}
	var touched int64
	if len(earlier) > 0 {
		var err error
		if touched, err = v.Late.MarkTouched(ctx, run, earlier[index-1].Cutoff, before.lastSealed().End(v.Zone)); err != nil {
			return Seal{}, fmt.Errorf("run %d: find what late events touch: %w", run.Number, err)
		}
	}
	if only != nil {
		if err := v.Invoices.Forget(ctx, run.Number, only); err != nil {
			return Seal{}, fmt.Errorf("run %d: clear what a broken attempt left: %w", run.Number, err)
		}
	}
	plan := schemas.Derivation{
		Run: run, Earlier: earlier, First: run.FirstMonth, Last: run.Month,
		New: before.lastSealed().Before(run.Month), Untouched: touched == 0,
		Accounts: only, Except: b.parkedBefore(run.Number),
	}
	w, err := v.issue(ctx, plan, l)
	if err != nil {
		return Seal{}, fmt.Errorf("run %d of %s: %w", run.Number, run.Month, err)
	}
	seal := Seal{
		Run: run.Number, Month: run.Month, SealedAt: v.Now().UTC().Truncate(time.Millisecond),
		Parked: w.parkedList(b.stillParked(run.Number)), Totals: w.totals.plus(b.seals[run.Number].Totals),
	}
	if err := v.RunLog.AddSeal(ctx, seal); err != nil {
		return Seal{}, fmt.Errorf("run %d: write down the seal of %s: %w", run.Number, run.Month, err)
	}
	b.seals[run.Number] = seal
	v.Metrics.sealed(seal)
	return seal, nil
}

// parkedBefore are the accounts that an earlier run still has parked: their
// older months come first.
func (b *books) parkedBefore(run int64) []string {
	var out []string
	for _, p := range b.stillParked(run) {
		out = append(out, p.AccountID)
	}
	return out
}

func (b *books) stillParked(run int64) []Parked {
	var out []Parked
	for number, seal := range b.seals {
		if number < run {
			out = append(out, seal.Parked...)
		}
	}
	slices.SortFunc(out, func(x, y Parked) int { return strings.Compare(x.AccountID, y.AccountID) })
	return slices.CompactFunc(out, func(x, y Parked) bool { return x.AccountID == y.AccountID })
}

// issue derives, prices and writes, at first as if no copies lay apart. Where nothing
// is to be derived, nobody has to know whether any do.
func (v *Invoicer) issue(ctx context.Context, plan schemas.Derivation, l *look) (*writer, error) {
	plan.AssumeNoStrays = plan.New || !plan.Untouched
	w, err := v.attempt(ctx, plan, l)
	if errors.Is(err, errStrays) {
		plan.AssumeNoStrays = false
		if plan.Strays, err = l.wait(); err == nil {
			w, err = v.attempt(ctx, plan, l)
		}
	}
	return w, err
}

// attempt writes nothing when it ends with errStrays.
func (v *Invoicer) attempt(ctx context.Context, plan schemas.Derivation, l *look) (*writer, error) {
	w := &writer{v: v, plan: plan, look: l, batch: Batch{Run: plan.Run}, other: Batch{Run: plan.Run}, parked: map[string]string{}}
	defer func() { _ = w.written() }() // nothing goes on writing after an error, which came first
	var cancel context.CancelFunc
	w.ctx, cancel = context.WithCancel(ctx)
	defer cancel()
	if len(plan.Earlier) > 0 && !plan.Untouched {
		invoiced, err := v.Invoices.Invoiced(ctx, plan.Run.Number, plan.Accounts)
		if err != nil {
			return w, fmt.Errorf("read what was invoiced so far: %w", err)
		}
		w.invoiced = &invoicedLines{cursor: invoiced}
		defer func() { _ = invoiced.Close() }() // reading is over: what matters came from Next
	}
	if err := v.Periods.Derive(ctx, plan, w.add); err != nil {
		return w, fmt.Errorf("derive periods: %w", err)
	}
	if err := w.endAccount(); err != nil {
		return w, err
	}
	if err := w.flush(); err != nil {
		return w, err
	}
	return w, w.written()
}

// writer gathers what one run issues, account by account, and writes it in
// batches. An account's headers wait until all of the account is written.
type writer struct {
	v        *Invoicer
	ctx      context.Context //nolint:containedctx // lives as long as one attempt
	plan     schemas.Derivation
	look     *look
	invoiced *invoicedLines

	account string
	minutes schemas.ItemMinutes
	// batch gathers; other is being written meanwhile, while writing is not nil.
	batch, other Batch
	writing      chan error
	// headers, with their hashes, and lived are those of the account; totals
	// includes them only once it ended.
	headers []schemas.Invoice
	hashes  []schemas.InvoiceHash
	lived   []schemas.ResourceMinutes
	digest  digest
	totals  Totals
	parked  map[string]string
}

// batchRows is how many rows of lines and what else grows with the resources are
// written together. Two such batches are held.
const batchRows = 50_000

// add takes one resource.
func (w *writer) add(d schemas.Derived) error {
	if d.AccountID != w.account {
		if err := w.endAccount(); err != nil {
			return err
		}
		w.account = d.AccountID
	}
	if _, parked := w.parked[d.AccountID]; parked {
		return nil
	}
	if d.Err != nil {
		w.park(d.Err)
		return nil //nolint:nilerr // it breaks the account, not the run
	}
	if err := w.resource(d); err != nil {
		return err
	}
	if len(w.batch.Lines)+len(w.batch.Periods)+len(w.batch.Snapshots)+len(w.batch.Minutes) >= batchRows {
		return w.flush()
	}
	return nil
}

// resource prices one resource: new invoices for the month to be sealed,
// adjustments for the sealed ones.
func (w *writer) resource(d schemas.Derived) error {
	rater := rating.Rater{Currency: w.v.Currency}
	present := map[schemas.Month][]schemas.Line{}
	var lived []schemas.ResourceMinutes
	for i := range d.Periods {
		p := &d.Periods[i]
		lines := rater.Lines(p)
		lived = minutesOf(lived, p, lines)
		w.minutes = w.minutes.Add(rating.Count(p, lines))
		if w.plan.New && p.Month == w.plan.Last {
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
		w.batch.Snapshots = append(w.batch.Snapshots, *d.Snapshot)
	}
	if !d.FullHistory || len(w.plan.Earlier) == 0 || d.ResourceID == "" {
		return nil
	}
	before, err := w.invoiced.of(d.AccountID, d.ResourceID)
	if err != nil {
		return fmt.Errorf("read what was invoiced for resource %q of account %q: %w", d.ResourceID, d.AccountID, err)
	}
	w.settle(d, present, before)
	return nil
}

// invoice makes the invoice of one period; a period without lines has none.
func (w *writer) invoice(p *schemas.Period, lines []schemas.Line) {
	if len(lines) == 0 {
		return
	}
	w.take(periodInvoice(p, lines[0].InvoiceCode), lines)
}

// periodInvoice is the header of a period's invoice, without its totals.
func periodInvoice(p *schemas.Period, code string) schemas.Invoice {
	return schemas.Invoice{
		Code: code, Kind: schemas.KindInvoice, AccountID: p.AccountID, ResourceID: p.ResourceID,
		Month: p.Month, PeriodStart: p.Start, PeriodEnd: p.End,
	}
}

// take takes a header, completed over its lines, and them.
func (w *writer) take(h schemas.Invoice, lines []schemas.Line) {
	h = header(w.plan.Run, h, lines)
	w.batch.Lines = append(w.batch.Lines, lines...)
	w.headers = append(w.headers, h)
	w.hashes = append(w.hashes, schemas.InvoiceHash{
		Month: h.Month, AccountID: h.AccountID, ResourceID: h.ResourceID, Code: h.Code, Run: h.Run, Hash: w.digest.invoice(&h, lines),
	})
}

// header completes a header: which run issues it, and the totals of its lines.
func header(run schemas.Run, h schemas.Invoice, lines []schemas.Line) schemas.Invoice {
	h.Run, h.CreatedAt = run.Number, run.CreatedAt
	h.Lines, h.Amounts = len(lines), rating.Total(lines)
	return h
}

// park leaves the account for a later run, and forgets what is not yet written
// of it.
func (w *writer) park(why error) {
	w.parked[w.account] = why.Error()
	w.headers, w.hashes, w.lived, w.minutes = nil, nil, nil, schemas.ItemMinutes{}
	of := func(account string) bool { return account == w.account }
	w.batch.Lines = slices.DeleteFunc(w.batch.Lines, func(l schemas.Line) bool { return of(l.AccountID) })
	w.batch.Periods = slices.DeleteFunc(w.batch.Periods, func(p schemas.Period) bool { return of(p.AccountID) })
	w.batch.Snapshots = slices.DeleteFunc(w.batch.Snapshots, func(e schemas.Snapshot) bool { return of(e.AccountID) })
}

// endAccount lets the account's headers go, unless its minutes do not add up
// (contract 5.4).
func (w *writer) endAccount() error {
	if _, parked := w.parked[w.account]; !parked && !w.minutes.Balanced() {
		w.park(fmt.Errorf("of %d item-minutes lived %d are on lines and %d excluded",
			w.minutes.Lived, w.minutes.OnLines, w.minutes.Excluded))
	}
	w.batch.Invoices = append(w.batch.Invoices, w.headers...)
	w.batch.Hashes = append(w.batch.Hashes, w.hashes...)
	w.batch.Minutes = append(w.batch.Minutes, w.lived...)
	w.headers, w.hashes, w.lived, w.minutes = w.headers[:0], w.hashes[:0], w.lived[:0], schemas.ItemMinutes{}
	return nil
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

// invoicedLines reads what was invoiced, resource by resource.
type invoicedLines struct {
	cursor InvoicedCursor
	ahead  *schemas.Line
	ended  bool
}

// of are the lines of one resource; resources must be asked for in order.
func (l *invoicedLines) of(account, resource string) ([]schemas.Line, error) {
	var out []schemas.Line
	for {
		if l.ahead == nil && !l.ended {
			line, err := l.cursor.Next()
			if errors.Is(err, io.EOF) {
				l.ended = true
			} else if err != nil {
				return nil, err
			} else {
				l.ahead = line
			}
		}
		if l.ended {
			return out, nil
		}
		order := strings.Compare(l.ahead.AccountID, account)
		if order == 0 {
			order = strings.Compare(l.ahead.ResourceID, resource)
		}
		if order > 0 {
			return out, nil
		}
		if order == 0 {
			out = append(out, *l.ahead)
		}
		l.ahead = nil
	}
}
