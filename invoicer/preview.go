package invoicer

import (
	"context"
	"fmt"

	"github.com/reckon-billing/reckon/invoicer/rating"
	"github.com/reckon-billing/reckon/schemas"
)

// Preview hands out the invoices that sealing the month now would make, of it
// and of every earlier month that is not sealed, by account and resource, and
// writes nothing. What late events would settle of sealed months is not part of
// it. The month need not be due.
func (v *Invoicer) Preview(ctx context.Context, month schemas.Month, each func(schemas.Invoice, []schemas.Line) error) error {
	b, err := v.open(ctx)
	if err != nil {
		return err
	}
	next, _ := b.next(v.FirstMonth, month)
	if month.Before(next) {
		return fmt.Errorf("%s is not to be sealed: the next month is %s", month, next)
	}
	cutoff, createdAt, err := v.note(ctx)
	if err != nil {
		return err
	}
	plan := Plan{
		Run: schemas.Run{
			Number: int64(len(b.runs)) + 1, Month: month, CreatedAt: createdAt, Cutoff: cutoff, FirstMonth: b.first(v.FirstMonth, month),
		},
		Earlier: b.runs, First: b.first(v.FirstMonth, month), Last: month, New: true, Whole: true,
	}
	return v.Periods.Derive(ctx, plan, func(d Derived) error {
		if d.Err != nil {
			return fmt.Errorf("account %q: %w", d.AccountID, d.Err)
		}
		rater := rating.Rater{Currency: v.Currency}
		for i := range d.Periods {
			p := &d.Periods[i]
			lines := rater.Lines(p)
			if p.Month.Before(next) || len(lines) == 0 {
				continue
			}
			h := header(plan.Run, periodInvoice(p, lines[0].InvoiceCode), lines)
			if err := each(h, lines); err != nil {
				return err
			}
		}
		return nil
	})
}
