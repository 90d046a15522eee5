package report

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/reckon-billing/reckon/schemas"
)

// Rows hands out rows one by one, in the order of the report. Next returns
// io.EOF after the last; the row is valid until the next call.
type Rows interface {
	Next() (*schemas.ReportRow, error)
}

// Format is how a report is written.
type Format string

// The formats.
const (
	Table Format = "table"
	CSV   Format = "csv"
	JSON  Format = "json"
)

// ParseFormat reads the name of a format.
func ParseFormat(s string) (Format, error) {
	switch f := Format(s); f {
	case Table, CSV, JSON:
		return f, nil
	default:
		return "", fmt.Errorf("%q is not a format: write table, csv or json", s)
	}
}

// Options are what a report needs to know of the installation.
type Options struct {
	// Zone is the billing zone, in which all times are written.
	Zone     *time.Location
	Currency schemas.Currency
	// ForSpreadsheets makes of CSV what a spreadsheet opens as it is meant: it begins
	// with a byte order mark, by which that knows that it is UTF-8, and text that it would
	// run as a formula stands there as text, behind an apostrophe.
	ForSpreadsheets bool
}

// Writer writes a report row by row. Close ends it and passes on all that was
// written, but does not close what it was written to. A report whose Write
// failed is not to be closed: it must not look whole.
type Writer interface {
	Write(row *schemas.ReportRow) error
	Close() error
}

// NewWriter begins a report. An unknown format is written as a table.
func NewWriter(w io.Writer, format Format, o Options) Writer {
	switch format {
	case CSV:
		return newCSVWriter(w, o)
	case JSON:
		return newJSONWriter(w, o)
	case Table:
	}
	return newTableWriter(w, o)
}

// Write writes a whole report. When it fails, what was written is only a part.
func Write(w io.Writer, format Format, o Options, rows Rows) error {
	report := NewWriter(w, format, o)
	for {
		row, err := rows.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("read the rows of the report: %w", err)
		}
		if err := report.Write(row); err != nil {
			return fmt.Errorf("write the report: %w", err)
		}
	}
	if err := report.Close(); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	return nil
}

// columns are the names of the report's columns in the contract's order (6).
func columns() []string {
	return []string{
		"account_id", "invoice_code", "created_at", "status", "resource_name", "resource_id", "product_name", "service_name",
		"item", "unit", "period_start", "period_end", "minutes", "unit_price", "quantity", "discount_percent", "tax_percent",
		"before_tax", "tax_amount", "coupon_code", "coupon_value", "total_amount", "month", "kind",
	}
}

// isText tells of each column whether it holds what producers wrote.
func isText() []bool {
	of := make([]bool, len(columns()))
	for i, name := range columns() {
		switch name {
		case "account_id", "resource_name", "resource_id", "product_name", "service_name", "item", "unit", "coupon_code":
			of[i] = true
		}
	}
	return of
}

// minutesColumn is the one column that JSON writes as a number.
const minutesColumn = "minutes"

// appendFields appends the row's fields as text, in the order of columns.
func appendFields(fields []string, o Options, r *schemas.ReportRow) []string {
	return append(
		fields, r.AccountID, r.InvoiceCode, instant(r.CreatedAt, o.Zone), r.Status, r.ResourceName, r.ResourceID, r.Product, r.Service,
		r.Item.Name, r.Item.Unit, instant(r.PeriodStart, o.Zone), instant(r.PeriodEnd, o.Zone), strconv.FormatInt(r.Minutes, 10),
		schemas.FormatDecimal(r.Item.UnitPrice), schemas.FormatDecimal(r.Quantity),
		schemas.FormatDecimal(r.Item.DiscountPercent), schemas.FormatDecimal(r.Item.TaxPercent),
		o.Currency.Format(r.BeforeTax), o.Currency.Format(r.TaxAmount), r.CouponCode,
		o.Currency.Format(r.CouponValue), o.Currency.Format(r.TotalAmount), r.Month.String(), string(r.Kind),
	)
}

// instant writes a time in the billing zone to the second, always with a
// numeric offset: UTC is +00:00 (contract 6).
func instant(t time.Time, zone *time.Location) string {
	return t.In(zone).Format("2006-01-02T15:04:05-07:00")
}
