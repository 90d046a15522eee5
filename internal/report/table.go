package report

import (
	"io"
	"strconv"

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
	page    *Grid
	rows    int64
	sum     schemas.Amounts
}

// tableColumn is a column's name and what stands in it.
type tableColumn struct {
	name string
	side Align
	text func(o *Options, r *schemas.ReportRow) string
}

func tableColumns() []tableColumn {
	return []tableColumn{
		{"account_id", Left, func(_ *Options, r *schemas.ReportRow) string { return r.AccountID }},
		{"resource_id", Left, func(_ *Options, r *schemas.ReportRow) string { return r.ResourceID }},
		{"resource_name", Left, func(_ *Options, r *schemas.ReportRow) string { return r.ResourceName }},
		{"item", Left, func(_ *Options, r *schemas.ReportRow) string { return r.Item.Name }},
		{"period_start", Left, func(o *Options, r *schemas.ReportRow) string { return minute(r.PeriodStart, o.Zone) }},
		{"period_end", Left, func(o *Options, r *schemas.ReportRow) string { return minute(r.PeriodEnd, o.Zone) }},
		{minutesColumn, Right, func(_ *Options, r *schemas.ReportRow) string { return grouped(strconv.FormatInt(r.Minutes, 10)) }},
		{"quantity", Right, func(_ *Options, r *schemas.ReportRow) string { return plain(r.Quantity) }},
		{"unit", Left, func(_ *Options, r *schemas.ReportRow) string { return r.Item.Unit }},
		{"unit_price", Right, func(_ *Options, r *schemas.ReportRow) string { return plain(r.Item.UnitPrice) }},
		{"discount", Right, func(_ *Options, r *schemas.ReportRow) string {
			return schemas.FormatDecimal(r.Item.DiscountPercent) + "%"
		}},
		{"tax", Right, func(_ *Options, r *schemas.ReportRow) string { return schemas.FormatDecimal(r.Item.TaxPercent) + "%" }},
		{"before_tax", Right, func(o *Options, r *schemas.ReportRow) string { return money(o.Currency, r.BeforeTax) }},
		{"tax_amount", Right, func(o *Options, r *schemas.ReportRow) string { return money(o.Currency, r.TaxAmount) }},
		{"coupon_code", Left, func(_ *Options, r *schemas.ReportRow) string { return r.CouponCode }},
		{"coupon_value", Right, func(o *Options, r *schemas.ReportRow) string { return money(o.Currency, r.CouponValue) }},
		{"total_amount", Right, func(o *Options, r *schemas.ReportRow) string { return money(o.Currency, r.TotalAmount) }},
		{"status", Left, func(_ *Options, r *schemas.ReportRow) string { return r.Status }},
		{"invoice_code", Left, func(_ *Options, r *schemas.ReportRow) string { return r.InvoiceCode }},
		{"month", Left, func(_ *Options, r *schemas.ReportRow) string { return r.Month.String() }},
		{"kind", Left, func(_ *Options, r *schemas.ReportRow) string { return string(r.Kind) }},
	}
}

func newTableWriter(w io.Writer, o Options) *tableWriter {
	t := &tableWriter{out: w, options: o, columns: tableColumns(), page: NewGrid()}
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
	t.page.Add(names...)
}

func (t *tableWriter) Write(row *schemas.ReportRow) error {
	if t.page.Len() > pageRows {
		t.page.Add()
		if err := t.page.Flush(t.out); err != nil {
			return err
		}
		t.begin()
	}
	var line []string
	for _, c := range t.columns {
		line = append(line, c.text(&t.options, row))
	}
	t.page.Add(line...)
	t.rows++
	t.sum = t.sum.Add(row.Amounts)
	return nil
}

func (t *tableWriter) Close() error {
	rules, totals := make([]string, len(t.columns)), make([]string, len(t.columns))
	total := &schemas.ReportRow{Line: schemas.Line{Amounts: t.sum}}
	for i, c := range t.columns {
		switch c.name {
		case "account_id":
			totals[i] = "total " + t.options.Currency.Code
		case "resource_id":
			totals[i] = counted(t.rows, "line")
		case "before_tax", "tax_amount", "coupon_value", "total_amount":
			rules[i], totals[i] = Rule, c.text(&t.options, total)
		}
	}
	t.page.Add(rules...)
	t.page.Add(totals...)
	return t.page.Flush(t.out)
}
