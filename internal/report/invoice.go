package report

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/reckon-billing/reckon/schemas"
)

// Invoice writes one invoice as a person wants to see it: whose it is, for what
// and when, each line with the factors of its price, and the sums of the header.
// The lines are those of the header, in its order; times are written in the zone.
func Invoice(w io.Writer, header schemas.Invoice, lines []schemas.Line, zone *time.Location, currency schemas.Currency) error {
	v := invoiceView{header, lines, zone, currency}
	var b strings.Builder
	v.title(&b)
	v.facts(&b)
	v.table(&b)
	v.sums(&b)
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("print invoice %s: %w", header.Code, err)
	}
	return nil
}

type invoiceView struct {
	header   schemas.Invoice
	lines    []schemas.Line
	zone     *time.Location
	currency schemas.Currency
}

func (v *invoiceView) title(b *strings.Builder) {
	name := "Invoice"
	switch {
	case v.header.Kind == schemas.KindAdjustment && v.header.TotalAmount.IsNegative():
		name = "Credit note"
	case v.header.Kind == schemas.KindAdjustment:
		name = "Debit note"
	}
	fmt.Fprintf(b, "%s %s\n\n", name, v.header.Code)
}

func (v *invoiceView) facts(b *strings.Builder) {
	h := &v.header
	g := Grid{indent: indent, sides: []Align{Left, Left}}
	g.Add("Account", h.AccountID)
	if len(v.lines) > 0 {
		l := &v.lines[0]
		g.Add("Resource", l.ResourceName+" ("+h.ResourceID+")")
		g.Add("Service", l.Product+" / "+l.Service)
	} else {
		g.Add("Resource", h.ResourceID)
	}
	minutes := int64(h.PeriodEnd.Sub(h.PeriodStart) / time.Minute)
	g.Add("Month", fmt.Sprintf("%s (%s)", h.Month, v.zone))
	g.Add("Period", fmt.Sprintf("%s to %s, %s", minute(h.PeriodStart, v.zone), minute(h.PeriodEnd, v.zone), span(minutes)))
	g.Add("Issued", minute(h.CreatedAt, v.zone))
	g.Add("Status", Status(h))
	if h.Kind == schemas.KindAdjustment {
		g.Add("Corrects", fmt.Sprintf("what was invoiced for %s, because of %s; %s", h.Month, counted(h.LateEvents, "late event"), v.how()))
		for _, late := range h.Late[:min(len(h.Late), maxLate)] {
			g.Add("", fmt.Sprintf("%s of %s (%s %s)", late.Type, minute(late.Time, v.zone), late.Source, late.ID))
		}
		if more := h.LateEvents - maxLate; more > 0 {
			g.Add("", "and "+counted(more, "more event"))
		}
	}
	_ = g.Flush(b) // a builder takes everything
}

// how says what the lines of an adjustment are.
func (v *invoiceView) how() string {
	if len(v.lines) > 0 && v.lines[0].Number == 0 {
		return "amounts are differences" // as older versions invoiced them
	}
	return "lines are taken back, then as they are now"
}

// indent is what the grids of an invoice stand in from the left.
const indent = "  "

// maxLate is how many late events are printed.
const maxLate = 5

// Status is the invoice's status while nothing tells of payments: a prepaid
// invoice and a total of zero or less are Paid at birth (contract 5.6 and 8).
func Status(header *schemas.Invoice) string {
	if header.Kind == schemas.KindPaid || !header.TotalAmount.IsPositive() {
		return "Paid"
	}
	return "Unpaid"
}

// invoiceColumn is a column of the lines; it is left out where it is empty in
// all of them.
type invoiceColumn struct {
	name string
	side Align
	text func(l *schemas.Line) string
}

func (v *invoiceView) columns() []invoiceColumn {
	amount := func(d decimal.Decimal) string { return money(v.currency, d) }
	list := []invoiceColumn{
		{"Item", Left, func(l *schemas.Line) string { return l.Item.Name }},
		{"Quantity", Right, func(l *schemas.Line) string { return plain(l.Quantity) }},
		{"Unit", Left, func(l *schemas.Line) string { return l.Item.Unit }},
		{"Unit price", Right, func(l *schemas.Line) string { return "× " + plain(l.Item.UnitPrice) }},
		{"Time", Right, factorOfTime},
		{"Discount", Right, func(l *schemas.Line) string { return percent("- ", l.Item.DiscountPercent) }},
		{"Before tax", Right, func(l *schemas.Line) string { return amount(l.BeforeTax) }},
		{"Tax rate", Right, func(l *schemas.Line) string { return percent("", l.Item.TaxPercent) }},
		{"Tax", Right, func(l *schemas.Line) string { return amount(l.TaxAmount) }},
		{"Coupon", Right, func(l *schemas.Line) string { return unlessZero(l.CouponValue, amount(l.CouponValue.Neg())) }},
		{"Total", Right, func(l *schemas.Line) string { return amount(l.TotalAmount) }},
	}
	if v.header.Kind == schemas.KindAdjustment {
		from := invoiceColumn{"Period from", Left, func(l *schemas.Line) string { return minute(l.PeriodStart, v.zone) }}
		list = append(list[:1:1], append([]invoiceColumn{from}, list[1:]...)...)
	}
	return list
}

func (v *invoiceView) table(b *strings.Builder) {
	g := Grid{indent: indent}
	var names, rules []string
	rows := make([][]string, len(v.lines))
	for _, c := range v.columns() {
		texts, empty := make([]string, len(v.lines)), true
		for i := range v.lines {
			texts[i] = c.text(&v.lines[i])
			empty = empty && texts[i] == ""
		}
		if empty {
			continue
		}
		g.sides = append(g.sides, c.side)
		names, rules = append(names, c.name), append(rules, Rule)
		for i := range texts {
			rows[i] = append(rows[i], texts[i])
		}
	}
	if len(rows) == 0 {
		return
	}
	b.WriteByte('\n')
	g.Add(names...)
	g.Add(rules...)
	g.rows = append(g.rows, rows...)
	_ = g.Flush(b) // a builder takes everything
}

// sums are the header's amounts, which are the sums of the rounded lines.
func (v *invoiceView) sums(b *strings.Builder) {
	h := &v.header
	g := Grid{indent: indent, sides: []Align{Left, Right, Left}}
	row := func(name string, amount decimal.Decimal) { g.Add(name, money(v.currency, amount), v.currency.Code) }
	row("Before tax", h.BeforeTax)
	row("Tax", h.TaxAmount)
	if code := v.coupon(); code != "" || !h.CouponValue.IsZero() {
		row(strings.TrimSpace("Coupon "+code), h.CouponValue.Neg())
	}
	g.Add(Rule, Rule, Rule)
	row("Total", h.TotalAmount)
	b.WriteByte('\n')
	_ = g.Flush(b) // a builder takes everything
}

// coupon is the code that the lines are under, empty for none.
func (v *invoiceView) coupon() string {
	for i := range v.lines {
		if code := v.lines[i].CouponCode; code != "" {
			return code
		}
	}
	return ""
}

// factorOfTime is the part of the price's own unit that the item was in force.
func factorOfTime(l *schemas.Line) string {
	unit := l.Item.Per.Minutes()
	if unit == 0 {
		return ""
	}
	return fmt.Sprintf("× %s / %s min", plain(decimal.NewFromInt(l.Minutes)), plain(decimal.NewFromInt(unit)))
}

func percent(sign string, d decimal.Decimal) string {
	return unlessZero(d, sign+schemas.FormatDecimal(d)+"%")
}

func unlessZero(d decimal.Decimal, text string) string {
	if d.IsZero() {
		return ""
	}
	return text
}
