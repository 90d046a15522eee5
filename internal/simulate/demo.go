package simulate

import (
	"context"
	"fmt"

	"github.com/reckon-billing/reckon/internal/app"
	"github.com/reckon-billing/reckon/internal/generate"
	"github.com/reckon-billing/reckon/internal/oracle"
	"github.com/reckon-billing/reckon/schemas"
)

// Demo plays a made-up cloud on a stack and proves what it came to.
type Demo struct {
	*Stack
	book *Book
	// seals are the months sealed, runs the numbers of what sealed them.
	seals []schemas.Month
	runs  []int64

	// Sent is told after each line how many were sent; Stored, before a month is
	// sealed, that they all are stored; Sealed what the seals issued.
	Sent   func(events int)
	Stored func(events int)
	Sealed func([]app.Seal)
}

// DemoProof is what was proven.
type DemoProof struct {
	// Lines of so many Invoices were recomputed, and Adjusted lines of adjustments; all
	// together come to what all events price to.
	Lines, Invoices, Adjusted int
	Truth                     generate.Truth
	Counts                    Counts
	// Months were sealed. Shown is the code of an invoice to look at: the first under
	// a coupon, else the first.
	Months []schemas.Month
	Shown  string

	underCoupon bool
}

// Play sends the events of a made-up cloud, seals where it says so, and recomputes
// all that was issued with the second calculator. It is an error when anything
// differs.
func (d *Demo) Play(ctx context.Context, g *generate.Generator, first schemas.Month) (*DemoProof, error) {
	d.book = NewBook(d.Config.Billing.Location, d.Currency(), first)
	sent := 0
	for l := range g.Lines() {
		d.book.Add(&l)
		if l.Kind == generate.Seal {
			if err := d.sealMonth(ctx, l.Month, sent); err != nil {
				return nil, err
			}
			continue
		}
		sent++
		if err := d.Add(ctx, Origin{Line: sent}, l.Bytes); err != nil {
			return nil, err
		}
		d.Sent(sent)
	}
	counts, err := d.Finish(ctx)
	if err != nil {
		return nil, err
	}
	return d.prove(ctx, g.Truth(), counts)
}

func (d *Demo) sealMonth(ctx context.Context, month schemas.Month, sent int) error {
	if err := d.Flush(ctx); err != nil {
		return err
	}
	if _, err := d.Seals.NoteCutoff(ctx); err != nil {
		return err
	}
	d.Stored(sent)
	seals, err := d.Seal(ctx, month)
	if err != nil {
		return err
	}
	d.Sealed(seals)
	d.seals = append(d.seals, month)
	for _, seal := range seals {
		d.runs = append(d.runs, seal.Run)
	}
	return nil
}

// prove recomputes every row that the seals issued, and what all of them add up to.
func (d *Demo) prove(ctx context.Context, truth generate.Truth, got Counts) (*DemoProof, error) {
	p := &DemoProof{Truth: truth, Counts: got, Months: d.seals}
	issued, err := d.issued(ctx, p)
	if err != nil {
		return nil, err
	}
	if diff := oracle.DiffDocuments(d.book.Documents(), issued); len(diff) > 0 {
		return nil, fmt.Errorf("the second calculator disagrees in %d places, first: %s", len(diff), diff[0])
	}
	var rows []schemas.Line
	for i := range issued {
		rows = append(rows, issued[i].Rows...)
		p.count(&issued[i])
	}
	if diff := oracle.DiffPrices(rows, d.Currency()); len(diff) > 0 {
		return nil, fmt.Errorf("%d rows are not what the formula says, first: %s", len(diff), diff[0])
	}
	settled := d.book.Settled()
	if diff := oracle.DiffSums(settled.Lines, rows); len(diff) > 0 {
		return nil, fmt.Errorf("invoices and adjustments do not add up in %d places, first: %s", len(diff), diff[0])
	}
	want := Counts{
		Stored: truth.Stored, Duplicate: truth.Duplicate, Conflicting: truth.Conflicting, Rejected: truth.Rejected, Anomalous: settled.Anomalous(),
	}
	if got != want {
		return nil, fmt.Errorf("counted %+v, but the generator made %+v", got, want)
	}
	return p, nil
}

// issued reads what the runs issued, in order.
func (d *Demo) issued(ctx context.Context, p *DemoProof) (all []oracle.Document, err error) {
	for _, run := range d.runs {
		err = d.Store.RunRows(ctx, run, func(r schemas.ReportRow) error {
			if n := len(all); n == 0 || all[n-1].Code != r.InvoiceCode {
				all = append(all, oracle.Document{Code: r.InvoiceCode, Kind: r.Kind, Run: run})
			}
			last := &all[len(all)-1]
			last.Rows = append(last.Rows, r.Line)
			if r.Kind == schemas.KindInvoice {
				p.choose(&r)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}

func (p *DemoProof) count(d *oracle.Document) {
	if d.Kind == schemas.KindAdjustment {
		p.Adjusted += len(d.Rows)
		return
	}
	p.Invoices++
	p.Lines += len(d.Rows)
}

func (p *DemoProof) choose(r *schemas.ReportRow) {
	coupon := r.CouponValue.IsPositive()
	if p.Shown == "" || coupon && !p.underCoupon {
		p.Shown, p.underCoupon = r.InvoiceCode, coupon
	}
}
