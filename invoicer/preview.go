package invoicer

import (
	"context"
	"fmt"
	"io"
	"slices"

	"github.com/reckon-billing/reckon/invoicer/rating"
	"github.com/reckon-billing/reckon/schemas"
)

// Preview hands out what [Invoicer.Seal] of the month would issue now, and writes
// nothing: the invoices of it and of every earlier month that is not sealed, and
// the adjustments by which late events settle the sealed ones; by account and
// resource. The month need not be due. Accounts that a run has parked are left
// out, as they are until they are mended.
func (v *Invoicer) Preview(ctx context.Context, month schemas.Month, each func(schemas.Invoice, []schemas.Line) error) error {
	b, err := v.open(ctx)
	if err != nil {
		return err
	}
	first := b.first(v.FirstMonth, month)
	if month.Before(first) {
		return beforeFirst(month, first)
	}
	last := month
	if sealed := LastMonth(b.runs); last.Before(sealed) {
		last = sealed // late events may have touched any month
	}
	return v.preview(ctx, b, schemas.Run{Month: last, FirstMonth: first}, each)
}

// PreviewAll hands out what [Invoicer.SettleAll] would issue now, as Preview does.
func (v *Invoicer) PreviewAll(ctx context.Context, each func(schemas.Invoice, []schemas.Line) error) error {
	b, err := v.open(ctx)
	if err != nil {
		return err
	}
	if len(b.runs) == 0 {
		return ErrNothingSealed
	}
	last := LastMonth(b.runs)
	return v.preview(ctx, b, schemas.Run{Month: last, FirstMonth: b.first(v.FirstMonth, last), SettleAll: true}, each)
}

// preview derives everything and shows what the run would issue.
func (v *Invoicer) preview(ctx context.Context, b *books, run schemas.Run, each func(schemas.Invoice, []schemas.Line) error) error {
	n, err := v.noteCutoff(ctx)
	if err != nil {
		return err
	}
	next := b.next(v.FirstMonth, run.Month)
	run.Number, run.CreatedAt, run.Cutoff = b.nextNumber, n.at, n.cutoff
	p := &preview{v: v, next: next, each: each, plan: schemas.Derivation{
		Run: run, Earlier: b.runs, First: run.FirstMonth, Last: run.Month, New: !run.Month.Before(next), FullHistory: true, Except: b.parkedBefore(run.Number),
	}}
	if len(b.runs) > 0 {
		invoiced, err := v.Invoices.AllInvoiced(ctx, run.Number)
		if err != nil {
			return fmt.Errorf("read what was invoiced so far: %w", err)
		}
		defer func() { _ = invoiced.Close() }() // reading is over: what matters came from Next
		p.invoiced = sortedLines(invoiced)
	}
	return v.Periods.Derive(ctx, p.plan, p.show)
}

// preview shows what a run would issue, resource by resource.
type preview struct {
	v    *Invoicer
	plan schemas.Derivation
	// next is the first month that is not sealed.
	next     schemas.Month
	invoiced *schemas.Sorted[schemas.Line]
	each     func(schemas.Invoice, []schemas.Line) error
}

func (p *preview) show(d schemas.Derived) error {
	if d.Err != nil {
		return fmt.Errorf("account %q: %w", d.AccountID, d.Err)
	}
	rater := rating.Rater{Currency: p.v.Currency}
	present := map[schemas.Month][]schemas.Line{}
	var fresh []Issued
	for i := range d.Periods {
		period := &d.Periods[i]
		switch lines := rater.Lines(period); {
		case period.Month.Before(p.next):
			present[period.Month] = append(present[period.Month], lines...)
		case len(lines) > 0:
			fresh = append(fresh, Issued{header(p.plan.Run, periodInvoice(period, lines[0].InvoiceCode), lines), lines})
		}
	}
	if p.invoiced != nil && d.ResourceID != "" {
		before, err := p.invoiced.Take(schemas.ResourceKey{AccountID: d.AccountID, ResourceID: d.ResourceID})
		if err != nil {
			return fmt.Errorf("read what was invoiced for resource %q of account %q: %w", d.ResourceID, d.AccountID, err)
		}
		if p.settles(&d) {
			w := &writer{v: p.v, plan: p.plan}
			w.adjust(d, present, before)
			fresh = append(w.issued(), fresh...)
		}
	}
	for i := range fresh {
		if err := p.each(fresh[i].Invoice, fresh[i].Rows); err != nil {
			return err
		}
	}
	return nil
}

// settles tells whether the run would derive the sealed months of the resource: all of
// them, or as late events touch them.
func (p *preview) settles(d *schemas.Derived) bool {
	return p.plan.Run.SettleAll || slices.ContainsFunc(d.Late, func(late schemas.LateMonth) bool { return late.Month.Before(p.next) })
}

// Issued is one invoice whole.
type Issued struct {
	schemas.Invoice
	Rows []schemas.Line
}

// Reissue makes what the plan's run issued for one resource, again and without
// writing it: from what the resource comes to at the run's cutoff, derived as a
// whole, and from the lines that earlier runs invoiced for it. Where its lines are not
// numbered it makes it as the version did that wrote them.
func Reissue(plan schemas.Derivation, currency schemas.Currency, d schemas.Derived, invoiced []schemas.Line, numbered bool) ([]Issued, error) {
	w := &writer{
		v: &Invoicer{Currency: currency}, plan: plan, account: d.AccountID, parked: map[string]string{},
		invoiced: sortedLines(&lineSlice{invoiced}), unnumbered: !numbered,
	}
	if err := w.price(d); err != nil {
		return nil, err
	}
	issued := w.issued()
	for i := range issued {
		for j := range issued[i].Rows {
			if !numbered {
				issued[i].Rows[j].Number = 0
			}
		}
	}
	return issued, nil
}

// issued is what the writer took and has not written yet.
func (w *writer) issued() []Issued {
	of := map[string][]schemas.Line{}
	for _, l := range w.batch.Lines {
		of[l.InvoiceCode] = append(of[l.InvoiceCode], l)
	}
	out := make([]Issued, len(w.headers))
	for i, h := range w.headers {
		out[i] = Issued{h, of[h.Code]}
	}
	return out
}

// lineSlice is a cursor over lines in memory.
type lineSlice struct{ left []schemas.Line }

func (s *lineSlice) Next() (*schemas.Line, error) {
	if len(s.left) == 0 {
		return nil, io.EOF
	}
	l := s.left[0]
	s.left = s.left[1:]
	return &l, nil
}

func (s *lineSlice) Close() error { return nil }

// minutesOf counts a resource's item-minutes by month, ascending.
func minutesOf(all []schemas.ResourceMinutes, run int64, p *schemas.Period, lines []schemas.Line) []schemas.ResourceMinutes {
	n := len(all)
	if n == 0 || all[n-1].Month != p.Month {
		all = append(all, schemas.ResourceMinutes{Month: p.Month, AccountID: p.AccountID, ResourceID: p.ResourceID, Run: run})
		n++
	}
	all[n-1].ItemMinutes = all[n-1].Add(rating.Count(p, lines))
	return all
}
