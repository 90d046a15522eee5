package oracle

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/reckon-billing/reckon/schemas"
)

// Seal is a run as it was written down: what it seals, and up to where it looks.
type Seal struct {
	Number int64
	Month  schemas.Month
	Cutoff schemas.Cutoff
}

// Document is an invoice or an adjustment: the code that its rows have, its kind, and
// the rows in order, numbered from 1.
type Document struct {
	Code string
	Kind schemas.Kind
	Run  int64
	Rows []schemas.Line
}

// book is what stands invoiced: of every line that is not returned the row that
// invoiced it last.
type book map[sumKey]schemas.Line

// Documents says what a story of seals issues (contract 5), in the order issued: at
// each seal it settles the months sealed before, oldest first, then invoices its own if
// that was not sealed. First is that of the settings, whose Last and Cutoffs do not
// count: they follow from the seals.
func Documents(copies []Copy, s Settings, seals []Seal) []Document {
	var out []Document
	stands, sealed := book{}, s.First.Prev()
	s.Cutoffs = nil
	for _, seal := range seals {
		s.Cutoffs = append(s.Cutoffs, seal.Cutoff)
		if s.Last = seal.Month; s.Last.Before(sealed) {
			s.Last = sealed
		}
		var known []Copy
		for _, c := range copies {
			if seal.Cutoff.Contains(c.Position) {
				known = append(known, c)
			}
		}
		now := map[schemas.Month]map[resourceKey][]schemas.Line{}
		for _, l := range Compute(known, s).Lines {
			if now[l.Month] == nil {
				now[l.Month] = map[resourceKey][]schemas.Line{}
			}
			key := resourceKey{l.AccountID, l.ResourceID}
			now[l.Month][key] = append(now[l.Month][key], l)
		}
		for m := s.First; !sealed.Before(m); m = m.Next() {
			for _, of := range stands.resources(m, now[m]) {
				rows := stands.settle(of, m, now[m][of])
				out = issue(out, schemas.KindAdjustment, seal.Number, schemas.AdjustmentCode(of.account, of.resource, m, seal.Number), rows)
			}
		}
		if sealed.Before(seal.Month) {
			sealed = seal.Month
			for _, of := range stands.resources(sealed, now[sealed]) {
				out = append(out, stands.invoice(seal.Number, now[sealed][of])...)
			}
		}
	}
	return out
}

// resources are those that have lines in the month, or had, in order.
func (b book) resources(m schemas.Month, now map[resourceKey][]schemas.Line) []resourceKey {
	var out []resourceKey
	for key := range now {
		out = append(out, key)
	}
	for key := range b {
		if of := (resourceKey{key.account, key.resource}); key.month == m && now[of] == nil {
			out = append(out, of)
		}
	}
	slices.SortFunc(out, func(a, b resourceKey) int {
		return cmp.Or(strings.Compare(a.account, b.account), strings.Compare(a.resource, b.resource))
	})
	return slices.Compact(out)
}

// invoice makes an invoice of each period. Lines of one period follow each other.
func (b book) invoice(run int64, lines []schemas.Line) []Document {
	var out []Document
	for len(lines) > 0 {
		n := 1
		for n < len(lines) && lines[n].PeriodStart.Equal(lines[0].PeriodStart) {
			n++
		}
		for i := range lines[:n] {
			b[sumKeyOf(&lines[i])] = lines[i]
		}
		out = issue(out, schemas.KindInvoice, run, lines[0].InvoiceCode, slices.Clone(lines[:n]))
		lines = lines[n:]
	}
	return out
}

// settle makes the rows that correct a resource's month, and enters them. Lines of one
// period stand in item order, and no two periods of a month begin together.
func (b book) settle(of resourceKey, m schemas.Month, now []schemas.Line) []schemas.Line {
	here := map[sumKey]bool{}
	starts := map[int64][]schemas.Line{}
	for i := range now {
		here[sumKeyOf(&now[i])] = true
		start := now[i].PeriodStart.UnixMilli()
		starts[start] = append(starts[start], now[i])
	}
	gone := map[int64][]schemas.Line{}
	for key, l := range b {
		if key.account == of.account && key.resource == of.resource && key.month == m && !here[key] {
			gone[key.start] = append(gone[key.start], l)
			if starts[key.start] == nil {
				starts[key.start] = []schemas.Line{}
			}
		}
	}
	var order []int64
	for start := range starts {
		order = append(order, start)
	}
	slices.Sort(order)
	var rows []schemas.Line
	for _, start := range order {
		for _, l := range starts[start] {
			was, stands := b[sumKeyOf(&l)]
			if stands && was.Minutes == l.Minutes && was.Quantity.Equal(l.Quantity) && was.Equal(l.Amounts) {
				continue
			}
			if stands {
				rows = append(rows, turned(was))
			}
			rows = append(rows, l)
			b[sumKeyOf(&l)] = l
		}
		slices.SortFunc(gone[start], func(a, b schemas.Line) int {
			return cmp.Or(cmp.Compare(a.Position, b.Position), strings.Compare(a.Item.Name, b.Item.Name), strings.Compare(a.CouponCode, b.CouponCode))
		})
		for _, l := range gone[start] {
			rows = append(rows, turned(l))
			delete(b, sumKeyOf(&l))
		}
	}
	return rows
}

// turned is the line with the sign of its quantity and of its four amounts turned.
func turned(l schemas.Line) schemas.Line {
	l.Quantity = l.Quantity.Neg()
	l.BeforeTax, l.TaxAmount = l.BeforeTax.Neg(), l.TaxAmount.Neg()
	l.CouponValue, l.TotalAmount = l.CouponValue.Neg(), l.TotalAmount.Neg()
	return l
}

// issue appends the document of the rows, if there are any.
func issue(out []Document, kind schemas.Kind, run int64, code string, rows []schemas.Line) []Document {
	if len(rows) == 0 {
		return out
	}
	for i := range rows {
		rows[i].InvoiceCode, rows[i].Run, rows[i].Number = code, run, i+1
	}
	return append(out, Document{code, kind, run, rows})
}

// DiffDocuments says, in one sentence each, where documents that were issued, got, are
// not those that must be, want: in which order they come, and row by row in every
// column. Nothing is said when they agree.
func DiffDocuments(want, got []Document) []string {
	var out []string
	for i := range min(len(want), len(got)) {
		w, g := &want[i], &got[i]
		if w.Code != g.Code || w.Kind != g.Kind || w.Run != g.Run {
			return append(out, fmt.Sprintf("document %d is %s %s of run %d, must be %s %s of run %d", i+1, g.Kind, g.Code, g.Run, w.Kind, w.Code, w.Run))
		}
		for n := range min(len(w.Rows), len(g.Rows)) {
			wr, gr := &w.Rows[n], &g.Rows[n]
			name := fmt.Sprintf("%s, row %d: %s %s", w.Code, n+1, gr.PeriodStart.UTC().Format(time.RFC3339), gr.Item.Name)
			if wr.Number != gr.Number || wr.Run != gr.Run || keyOf(wr) != keyOf(gr) {
				out = append(out, fmt.Sprintf("%s: is %d of run %d, %+v, must be %d of run %d, %+v", name, gr.Number, gr.Run, keyOf(gr), wr.Number, wr.Run, keyOf(wr)))
			}
			out = append(out, columns(name, wr, gr)...)
		}
		if len(w.Rows) != len(g.Rows) {
			out = append(out, fmt.Sprintf("%s has %d rows, must have %d", w.Code, len(g.Rows), len(w.Rows)))
		}
	}
	if len(want) != len(got) {
		out = append(out, fmt.Sprintf("there are %d documents, must be %d", len(got), len(want)))
	}
	return out
}
