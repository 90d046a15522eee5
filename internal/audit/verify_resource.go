package audit

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/reckon-billing/reckon/aggregate"
	"github.com/reckon-billing/reckon/invoicer"
	"github.com/reckon-billing/reckon/invoicer/rating"
	"github.com/reckon-billing/reckon/invoicer/settle"
	"github.com/reckon-billing/reckon/schemas"
	"github.com/reckon-billing/reckon/schemas/tables"
)

// storedInvoice is what is stored under one code by one run; what is missing is
// nil.
type storedInvoice struct {
	run    int64
	code   string
	header *schemas.Invoice
	// hash is of the form.
	hash  *schemas.InvoiceHash
	form  *tables.Form
	lines []StoredLine
}

// rows are the lines without what only the store knows.
func (s *storedInvoice) rows() []schemas.Line {
	out := make([]schemas.Line, len(s.lines))
	for i := range s.lines {
		out[i] = s.lines[i].Line
	}
	return out
}

// intact tells whether header and lines are those that were sealed.
func (s *storedInvoice) intact() bool {
	return s.header != nil && s.hash != nil && !slices.ContainsFunc(s.lines, s.misnumbered) && s.form.Hash(s.header, s.rows()) == s.hash.Hash
}

// misnumbered tells whether a line has a number though none was written: the hash of
// such a form says nothing of it.
func (s *storedInvoice) misnumbered(l StoredLine) bool { return !s.form.Numbered() && l.Number != 0 }

// storedInvoices sorts what is stored of a resource by run and code.
func (p *proof) storedInvoices(r *SealedResource) ([]*storedInvoice, error) {
	type key struct {
		run  int64
		code string
	}
	byKey := map[key]*storedInvoice{}
	var out []*storedInvoice
	of := func(run int64, code string) *storedInvoice {
		s := byKey[key{run, code}]
		if s == nil {
			s = &storedInvoice{run: run, code: code}
			byKey[key{run, code}] = s
			out = append(out, s)
		}
		return s
	}
	for i := range r.Headers {
		of(r.Headers[i].Run, r.Headers[i].Code).header = &r.Headers[i]
	}
	for i := range r.Hashes {
		h := &r.Hashes[i]
		form, err := p.forms.Of(h.Form)
		if err != nil {
			return nil, fmt.Errorf("invoice %s of run %d: %w", h.Code, h.Run, err)
		}
		s := of(h.Run, h.Code)
		s.hash, s.form = h, form
	}
	for i := range r.Lines {
		s := of(r.Lines[i].Run, r.Lines[i].InvoiceCode)
		s.lines = append(s.lines, r.Lines[i])
	}
	slices.SortFunc(out, func(a, b *storedInvoice) int {
		return cmp.Or(cmp.Compare(a.run, b.run), strings.Compare(a.code, b.code))
	})
	return out, nil
}

// sameLineOf is the line's key in the month that is verified, whatever month the
// row says.
func sameLineOf(l *schemas.Line) schemas.LineKey {
	key := l.Key()
	key.Month = schemas.Month{}
	return key
}

// resource compares what is stored of one resource in the month with the lines
// that its events come to.
func (p *proof) resource(ctx context.Context, r *SealedResource, derived []schemas.Line) error {
	if slices.Contains(p.except, r.AccountID) {
		return nil
	}
	all, err := p.storedInvoices(r)
	if err != nil {
		return err
	}
	told := map[schemas.LineKey]bool{}
	if slices.ContainsFunc(all, func(s *storedInvoice) bool { return !s.intact() }) {
		if err := p.nameChanges(ctx, r, all, told); err != nil {
			return err
		}
	}
	standings, codes := map[schemas.LineKey]*settle.Standing{}, map[schemas.LineKey][]string{}
	for _, s := range all {
		if s.header == nil {
			continue
		}
		lines := s.rows()
		for i := range lines {
			key := sameLineOf(&lines[i])
			if standings[key] == nil {
				standings[key] = &settle.Standing{}
			}
			standings[key].Take(&lines[i])
			codes[key] = append(codes[key], s.code)
		}
		p.count(s)
		if i, known := p.runs[s.run]; known && !p.all[i].CreatedAt.Equal(s.header.CreatedAt) && s.intact() {
			if err := p.differ("%s: it was created at %s, its run %d at %s", s.code,
				Stamp(s.header.CreatedAt, p.Zone), s.run, Stamp(p.all[i].CreatedAt, p.Zone)); err != nil {
				return err
			}
		}
		if total := rating.Total(lines); s.intact() && (!total.Equal(s.header.Amounts) || len(lines) != s.header.Lines) {
			if err := p.differ("%s: the header is of %d lines and %s, its %d lines sum to %s", s.code,
				s.header.Lines, p.amounts(s.header.Amounts), len(lines), p.amounts(total)); err != nil {
				return err
			}
		}
	}
	return p.compareSums(derived, standings, codes, told)
}

func (p *proof) count(s *storedInvoice) {
	if s.header.Kind == schemas.KindAdjustment {
		p.Issued.Adjustments++
	} else {
		p.Issued.Invoices++
	}
	p.Issued.Lines += int64(len(s.lines))
	p.Issued.Amounts = p.Issued.Amounts.Add(s.header.Amounts)
}

// compareSums holds what each line comes to over the invoice and its adjustments
// against what is derived, but for lines of which it is told already what is wrong.
func (p *proof) compareSums(derived []schemas.Line, standings map[schemas.LineKey]*settle.Standing, codes map[schemas.LineKey][]string, told map[schemas.LineKey]bool) error {
	for i := range derived {
		l := &derived[i]
		key := sameLineOf(l)
		stands, in := standings[key], codes[key]
		delete(standings, key)
		if told[key] {
			continue
		}
		if stands == nil {
			stands, in = &settle.Standing{}, []string{l.InvoiceCode}
		}
		if err := p.compareLine(in, stands, l); err != nil {
			return err
		}
	}
	keys := slices.SortedFunc(maps.Keys(standings), func(a, b schemas.LineKey) int {
		return cmp.Or(a.Start.Compare(b.Start), strings.Compare(a.Item, b.Item), strings.Compare(a.Coupon, b.Coupon))
	})
	for _, key := range keys {
		if told[key] {
			continue
		}
		gone := schemas.Line{PeriodStart: key.Start, Item: schemas.Item{Name: key.Item}, CouponCode: key.Coupon}
		if err := p.compareLine(codes[key], standings[key], &gone); err != nil {
			return err
		}
	}
	return nil
}

// compareLine compares one line; of one that is gone there are 0 minutes.
func (p *proof) compareLine(codes []string, stands *settle.Standing, derived *schemas.Line) error {
	names, want := slices.Compact(codes), sumColumns(derived.Minutes, derived.Quantity, derived.Amounts)
	for i, column := range sumColumns(stands.Minutes(), stands.Quantity, stands.Amounts) {
		if !stands.Exact && i < sumsOfAmounts {
			continue
		}
		if column.Text != want[i].Text {
			if err := p.differ("%s: line %s: %s is stored as %s, derived %s",
				strings.Join(names, " + "), p.lineName(derived), column.Name, column.Text, want[i].Text); err != nil {
				return err
			}
		}
	}
	return nil
}

// sumsOfAmounts is where among the columns of sums the amounts begin.
const sumsOfAmounts = 2

func sumColumns(minutes int64, quantity decimal.Decimal, a schemas.Amounts) []tables.Value {
	return []tables.Value{
		{Name: "minutes", Text: strconv.FormatInt(minutes, 10)},
		{Name: "quantity", Text: schemas.FormatDecimal(quantity)},
		{Name: "before_tax", Text: schemas.FormatDecimal(a.BeforeTax)},
		{Name: "tax_amount", Text: schemas.FormatDecimal(a.TaxAmount)},
		{Name: "coupon_value", Text: schemas.FormatDecimal(a.CouponValue)},
		{Name: "total_amount", Text: schemas.FormatDecimal(a.TotalAmount)},
	}
}

func (p *proof) amounts(a schemas.Amounts) string {
	c := p.Currency
	return fmt.Sprintf("%s + %s - %s = %s", c.Format(a.BeforeTax), c.Format(a.TaxAmount), c.Format(a.CouponValue), c.Format(a.TotalAmount))
}

// lineName names a line in its invoice.
func (p *proof) lineName(l *schemas.Line) string {
	name := l.PeriodStart.In(p.Zone).Format(time.RFC3339) + " " + strconv.Quote(l.Item.Name)
	if l.CouponCode != "" {
		name += " under coupon " + strconv.Quote(l.CouponCode)
	}
	return name
}

// reissue makes again what a run issued of the month for a resource, by code, as the
// version did that wrote the form; invoiced are the lines of the month that earlier
// runs invoiced for it.
func (p *proof) reissue(ctx context.Context, r *SealedResource, number int64, form *tables.Form, invoiced []schemas.Line) (map[string]invoicer.Issued, error) {
	i := p.runs[number]
	run := p.all[i]
	var before schemas.Month
	for _, earlier := range p.all[:i] {
		if before.Before(earlier.Month) {
			before = earlier.Month
		}
	}
	plan := p.plan(number, run.Month)
	plan.New, plan.Accounts = before.Before(run.Month), []string{r.AccountID}
	var issued []invoicer.Issued
	d := &aggregate.Deriver{Source: p.Resources.OneResource(r.AccountID, r.ResourceID), Zone: p.Zone}
	err := d.Derive(ctx, plan, func(d schemas.Derived) error {
		if d.ResourceID != r.ResourceID || d.Err != nil {
			return d.Err
		}
		var err error
		issued, err = invoicer.Reissue(plan, p.Currency, d, invoiced, form.Numbered())
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("derive resource %q of account %q as run %d did: %w", r.ResourceID, r.AccountID, number, err)
	}
	out := map[string]invoicer.Issued{}
	for _, one := range issued {
		if one.Month == p.Month {
			out[one.Code] = one
		}
	}
	return out, nil
}
