package report

import (
	"io"
	"strconv"
	"strings"

	"github.com/reckon-billing/reckon/schemas"
)

// pageRows is how many rows of a table are aligned together. Widths differ from
// page to page; in return a report of any length is written in little memory.
const pageRows = 1_000

// tableWriter writes for people: digits grouped, numbers to the right, a total at
// the end. created_at, product_name and service_name are left to CSV and JSON.
type tableWriter struct {
	out     io.Writer
	options Options
	columns []tableColumn
	page    grid
	rows    int64
	sum     schemas.Amounts
}

// tableColumn is a column's name and what stands in it.
type tableColumn struct {
	name string
	side align
	text func(o *Options, r *Row) string
}

func tableColumns(o Options) []tableColumn {
	list := []tableColumn{
		{"account_id", left, func(_ *Options, r *Row) string { return r.AccountID }},
		{"resource_id", left, func(_ *Options, r *Row) string { return r.ResourceID }},
		{"resource_name", left, func(_ *Options, r *Row) string { return r.ResourceName }},
		{"item", left, func(_ *Options, r *Row) string { return r.Item.Name }},
		{"period_start", left, func(o *Options, r *Row) string { return minute(r.PeriodStart, o.Zone) }},
		{"period_end", left, func(o *Options, r *Row) string { return minute(r.PeriodEnd, o.Zone) }},
		{minutesColumn, right, func(_ *Options, r *Row) string { return grouped(strconv.FormatInt(r.Minutes, 10)) }},
		{"quantity", right, func(_ *Options, r *Row) string { return plain(r.Quantity) }},
		{"unit", left, func(_ *Options, r *Row) string { return r.Item.Unit }},
		{"unit_price", right, func(_ *Options, r *Row) string { return plain(r.Item.UnitPrice) }},
		{"discount", right, func(_ *Options, r *Row) string { return schemas.FormatDecimal(r.Item.DiscountPercent) + "%" }},
		{"tax", right, func(_ *Options, r *Row) string { return schemas.FormatDecimal(r.Item.TaxPercent) + "%" }},
		{"before_tax", right, func(o *Options, r *Row) string { return money(o.Currency, r.BeforeTax) }},
		{"tax_amount", right, func(o *Options, r *Row) string { return money(o.Currency, r.TaxAmount) }},
		{"coupon_code", left, func(_ *Options, r *Row) string { return r.CouponCode }},
		{"coupon_value", right, func(o *Options, r *Row) string { return money(o.Currency, r.CouponValue) }},
		{"total_amount", right, func(o *Options, r *Row) string { return money(o.Currency, r.TotalAmount) }},
		{"status", left, func(_ *Options, r *Row) string { return r.Status }},
		{"invoice_code", left, func(_ *Options, r *Row) string { return r.InvoiceCode }},
	}
	if o.Replay {
		list = append(
			list,
			tableColumn{"month", left, func(_ *Options, r *Row) string { return r.Month.String() }},
			tableColumn{"kind", left, func(_ *Options, r *Row) string { return string(r.Kind) }},
		)
	}
	return list
}

func newTableWriter(w io.Writer, o Options) *tableWriter {
	t := &tableWriter{out: w, options: o, columns: tableColumns(o)}
	for _, c := range t.columns {
		t.page.sides = append(t.page.sides, c.side)
	}
	t.begin()
	return t
}

// begin starts a page with the names of the columns.
func (t *tableWriter) begin() {
	var names []string
	for _, c := range t.columns {
		names = append(names, c.name)
	}
	t.page.lines = append(t.page.lines[:0], names)
}

func (t *tableWriter) Write(row *Row) error {
	if len(t.page.lines) > pageRows {
		t.page.add()
		if err := t.flush(); err != nil {
			return err
		}
		t.begin()
	}
	var line []string
	for _, c := range t.columns {
		line = append(line, c.text(&t.options, row))
	}
	t.page.add(line...)
	t.rows++
	t.sum = t.sum.Add(row.Amounts)
	return nil
}

func (t *tableWriter) Close() error {
	rules, totals := make([]string, len(t.columns)), make([]string, len(t.columns))
	total := &Row{Line: schemas.Line{Amounts: t.sum}}
	for i, c := range t.columns {
		switch c.name {
		case "account_id":
			totals[i] = "total " + t.options.Currency.Code
		case "resource_id":
			totals[i] = counted(t.rows, "line")
		case "before_tax", "tax_amount", "coupon_value", "total_amount":
			rules[i], totals[i] = rule, c.text(&t.options, total)
		}
	}
	t.page.add(rules...)
	t.page.add(totals...)
	return t.flush()
}

func (t *tableWriter) flush() error {
	var b strings.Builder
	t.page.write(&b, "")
	_, err := io.WriteString(t.out, b.String())
	return err
}
