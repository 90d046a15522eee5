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
	g := grid{sides: []align{left, left}}
	g.add("Account", h.AccountID)
	if len(v.lines) > 0 {
		l := &v.lines[0]
		g.add("Resource", l.ResourceName+" ("+h.ResourceID+")")
		g.add("Service", l.Product+" / "+l.Service)
	} else {
		g.add("Resource", h.ResourceID)
	}
	minutes := int64(h.PeriodEnd.Sub(h.PeriodStart) / time.Minute)
	g.add("Month", fmt.Sprintf("%s (%s)", h.Month, v.zone))
	g.add("Period", fmt.Sprintf("%s to %s, %s", minute(h.PeriodStart, v.zone), minute(h.PeriodEnd, v.zone), span(minutes)))
	g.add("Issued", minute(h.CreatedAt, v.zone))
	g.add("Status", Status(h))
	if h.Kind == schemas.KindAdjustment {
		g.add("Corrects", fmt.Sprintf("what was invoiced for %s, because of %s; amounts are differences", h.Month, counted(h.LateEvents, "late event")))
		for _, late := range h.Late[:min(len(h.Late), maxLate)] {
			g.add("", fmt.Sprintf("%s of %s (%s %s)", late.Type, minute(late.Time, v.zone), late.Source, late.ID))
		}
		if more := h.LateEvents - maxLate; more > 0 {
			g.add("", "and "+counted(more, "more event"))
		}
	}
	g.write(b, "  ")
}

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
	side align
	text func(l *schemas.Line) string
}

func (v *invoiceView) columns() []invoiceColumn {
	amount := func(d decimal.Decimal) string { return money(v.currency, d) }
	list := []invoiceColumn{
		{"Item", left, func(l *schemas.Line) string { return l.Item.Name }},
		{"Quantity", right, func(l *schemas.Line) string { return plain(l.Quantity) }},
		{"Unit", left, func(l *schemas.Line) string { return l.Item.Unit }},
		{"Unit price", right, func(l *schemas.Line) string { return "× " + plain(l.Item.UnitPrice) }},
		{"Time", right, factorOfTime},
		{"Discount", right, func(l *schemas.Line) string { return percent("- ", l.Item.DiscountPercent) }},
		{"Before tax", right, func(l *schemas.Line) string { return amount(l.BeforeTax) }},
		{"Tax rate", right, func(l *schemas.Line) string { return percent("", l.Item.TaxPercent) }},
		{"Tax", right, func(l *schemas.Line) string { return amount(l.TaxAmount) }},
		{"Coupon", right, func(l *schemas.Line) string { return unlessZero(l.CouponValue, amount(l.CouponValue.Neg())) }},
		{"Total", right, func(l *schemas.Line) string { return amount(l.TotalAmount) }},
	}
	if v.header.Kind == schemas.KindAdjustment {
		from := invoiceColumn{"Period from", left, func(l *schemas.Line) string { return minute(l.PeriodStart, v.zone) }}
		list = append(list[:1:1], append([]invoiceColumn{from}, list[1:]...)...)
	}
	return list
}

func (v *invoiceView) table(b *strings.Builder) {
	var g grid
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
		names, rules = append(names, c.name), append(rules, rule)
		for i := range texts {
			rows[i] = append(rows[i], texts[i])
		}
	}
	if len(rows) == 0 {
		return
	}
	b.WriteByte('\n')
	g.add(names...)
	g.add(rules...)
	g.lines = append(g.lines, rows...)
	g.write(b, "  ")
}

// sums are the header's amounts, which are the sums of the rounded lines.
func (v *invoiceView) sums(b *strings.Builder) {
	h := &v.header
	g := grid{sides: []align{left, right, left}}
	row := func(name string, amount decimal.Decimal) { g.add(name, money(v.currency, amount), v.currency.Code) }
	row("Before tax", h.BeforeTax)
	row("Tax", h.TaxAmount)
	if code := v.coupon(); code != "" || !h.CouponValue.IsZero() {
		row(strings.TrimSpace("Coupon "+code), h.CouponValue.Neg())
	}
	g.add(rule, rule, rule)
	row("Total", h.TotalAmount)
	b.WriteByte('\n')
	g.write(b, "  ")
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
