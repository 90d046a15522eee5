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
	// seals are the months sealed.
	seals []schemas.Month

	// Sent is told after each line how many were sent; Stored, before a month is
	// sealed, that they all are stored; Sealed what the seals issued.
	Sent   func(events int)
	Stored func(events int)
	Sealed func([]app.Seal)
}

// DemoProof is what was proven.
type DemoProof struct {
	// Lines of so many Invoices were recomputed; of Adjusted further lines it is
	// proven that all together come to what all events price to.
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
	return nil
}

// prove recomputes every line that the seals issued.
func (d *Demo) prove(ctx context.Context, truth generate.Truth, got Counts) (*DemoProof, error) {
	p := &DemoProof{Truth: truth, Counts: got, Months: d.seals}
	var all []schemas.Line
	for _, month := range d.seals {
		lines, err := d.proveMonth(ctx, month, p)
		if err != nil {
			return nil, err
		}
		all = append(all, lines...)
	}
	settled := d.book.Settled()
	if diff := oracle.DiffSums(settled.Lines, all); len(diff) > 0 {
		return nil, fmt.Errorf("invoices and adjustments do not add up in %d places, first: %s", len(diff), diff[0])
	}
	want := Counts{
		Stored: truth.Stored, Duplicate: truth.Duplicate, Conflicting: truth.Conflicting, Rejected: truth.Rejected, Anomalous: settled.Anomalous(),
	}
	if got != want {
		return nil, fmt.Errorf("counted %+v, but the generator made %+v", got, want)
	}
	p.Adjusted = len(all) - p.Lines
	return p, nil
}

// proveMonth recomputes the invoices of a month, and hands out all its lines.
func (d *Demo) proveMonth(ctx context.Context, month schemas.Month, p *DemoProof) ([]schemas.Line, error) {
	want, err := d.book.Invoiced(month)
	if err != nil {
		return nil, err
	}
	var all, lines []schemas.Line
	codes := map[string]bool{}
	err = d.Store.UsageReport(ctx, month, "", func(r schemas.ReportRow) error {
		all = append(all, r.Line)
		if r.Kind == schemas.KindInvoice {
			lines = append(lines, r.Line)
			codes[r.InvoiceCode] = true
			p.choose(&r)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if diff := oracle.Diff(want.Lines, lines); len(diff) > 0 {
		return nil, fmt.Errorf("the second calculator disagrees in %d places, first: %s", len(diff), diff[0])
	}
	p.Lines += len(lines)
	p.Invoices += len(codes)
	return all, nil
}

func (p *DemoProof) choose(r *schemas.ReportRow) {
	coupon := r.CouponValue.IsPositive()
	if p.Shown == "" || coupon && !p.underCoupon {
		p.Shown, p.underCoupon = r.InvoiceCode, coupon
	}
}
