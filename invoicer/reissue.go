package invoicer

import (
	"io"

	"github.com/reckon-billing/reckon/invoicer/rating"
	"github.com/reckon-billing/reckon/schemas"
)

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
