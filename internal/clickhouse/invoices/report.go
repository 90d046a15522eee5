package invoices

import (
	"context"
	"fmt"
	"time"

	"github.com/shopspring/decimal"

	"github.com/reckon-billing/reckon/internal/audit"
	"github.com/reckon-billing/reckon/internal/clickhouse/column"
	"github.com/reckon-billing/reckon/schemas"
)

// UsageReport yields the rows of a month, adjustments of it included, ordered
// by account, resource, period start, item position, then run. An empty account
// means all. An error of yield ends it and is returned.
func (s *Store) UsageReport(ctx context.Context, month schemas.Month, account string, yield func(schemas.ReportRow) error) error {
	err := s.reportRows(ctx, "report_rows", yield,
		column.Bind("month", month.String()), column.Bind("all_accounts", account == ""), column.Bind("account", account))
	if err != nil {
		return fmt.Errorf("usage report of %s: %w", month, err)
	}
	return nil
}

// RunRows yields what one run issued, in the order issued (contract 7):
// adjustments first, oldest month first, then the new month, each ordered by
// account, resource, period start and item position.
func (s *Store) RunRows(ctx context.Context, run int64, yield func(schemas.ReportRow) error) error {
	if err := s.reportRows(ctx, "run_rows", yield, column.Bind("run", run)); err != nil {
		return fmt.Errorf("rows of run %d: %w", run, err)
	}
	return nil
}

// Invoice is one invoice with its lines in the order of the report. The error
// wraps [audit.ErrNotFound] when no such header is stored.
func (s *Store) Invoice(ctx context.Context, code string) (schemas.Invoice, []schemas.ReportRow, error) {
	month, err := monthOfCode(code)
	if err != nil {
		return schemas.Invoice{}, nil, err
	}
	h, err := s.header(ctx, month, code)
	if err != nil {
		return schemas.Invoice{}, nil, fmt.Errorf("invoice %q: %w", code, err)
	}
	var rows []schemas.ReportRow
	err = s.reportRows(ctx, "invoice_lines_of", func(r schemas.ReportRow) error {
		rows = append(rows, r)
		return nil
	}, column.Bind("month", month.String()), column.Bind("code", code))
	if err != nil {
		return schemas.Invoice{}, nil, fmt.Errorf("lines of invoice %q: %w", code, err)
	}
	return h, rows, nil
}

// monthOfCode is the month in a code, as in INV-2026-10-…, so that an invoice is
// looked for in its month alone.
func monthOfCode(code string) (schemas.Month, error) {
	if len(code) > 11 {
		if month, err := schemas.ParseMonth(code[4:11]); err == nil {
			return month, nil
		}
	}
	return schemas.Month{}, fmt.Errorf("invoice %q: %w: a code looks like INV-2026-10-…", code, audit.ErrNotFound)
}

func (s *Store) header(ctx context.Context, month schemas.Month, code string) (schemas.Invoice, error) {
	var (
		h                           schemas.Invoice
		kind, in                    string
		lines                       int64
		found                       bool
		sources, ids, types, topics []string
		times                       []time.Time
		partitions                  []int32
		offsets                     []int64
	)
	dest := append([]any{
		&h.Code, &kind, &h.AccountID, &h.ResourceID, &in, &h.Run, &h.CreatedAt, &h.PeriodStart, &h.PeriodEnd, &lines,
	}, scanAmounts(&h.Amounts)...)
	dest = append(dest, &h.LateEvents, &sources, &ids, &types, &times, &topics, &partitions, &offsets)
	err := s.db.Each(ctx, "invoice", dest, func() error {
		found = true
		return nil
	}, column.Bind("month", month.String()), column.Bind("code", code))
	if err != nil {
		return h, err
	}
	if !found {
		return h, audit.ErrNotFound
	}
	h.Kind, h.Month, h.Lines = schemas.Kind(kind), month, int(lines)
	h.CreatedAt, h.PeriodStart, h.PeriodEnd = h.CreatedAt.UTC(), h.PeriodStart.UTC(), h.PeriodEnd.UTC()
	for i := range sources {
		h.Late = append(h.Late, schemas.EventRef{
			Source: sources[i], ID: ids[i], Type: schemas.Type(types[i]), Time: times[i].UTC(),
			Position: schemas.Position{Topic: topics[i], Partition: partitions[i], Offset: offsets[i]},
		})
	}
	return h, nil
}

func (s *Store) reportRows(ctx context.Context, name string, yield func(schemas.ReportRow) error, args ...any) error {
	var (
		row    lineRow
		report schemas.ReportRow
		kind   string
	)
	dest := append(row.dest(), &report.Run, &kind, &report.CreatedAt, &report.Status)
	return s.db.Each(ctx, name, dest, func() error {
		line, err := row.line()
		if err != nil {
			return err
		}
		report.Line, report.Kind, report.CreatedAt = line, schemas.Kind(kind), report.CreatedAt.UTC()
		return yield(report)
	}, args...)
}

// lineRow is where the columns of a line are scanned to.
type lineRow struct {
	schemas.Line
	month, meter, per string
	position          int32
	fixed             decimal.Decimal
}

func (r *lineRow) dest() []any {
	l, it := &r.Line, &r.Item
	return append([]any{
		&l.InvoiceCode, &l.AccountID, &l.ResourceID, &l.ResourceName, &l.Product, &l.Service, &r.month,
		&l.PeriodStart, &l.PeriodEnd, &r.position, &it.Name, &it.Unit, &it.UnitPrice, &r.fixed, &r.meter, &r.per,
		&it.DiscountPercent, &it.TaxPercent, &it.FreeQuantity, &l.Minutes, &l.Quantity, &l.CouponCode,
	}, scanAmounts(&l.Amounts)...)
}

// line is the line that was scanned.
func (r *lineRow) line() (schemas.Line, error) {
	l := r.Line
	var err error
	if l.Month, err = schemas.ParseMonth(r.month); err != nil {
		return l, fmt.Errorf("stored line of invoice %s: %w", l.InvoiceCode, err)
	}
	l.PeriodStart, l.PeriodEnd, l.Position = l.PeriodStart.UTC(), l.PeriodEnd.UTC(), int(r.position)
	l.Item.Quantity, l.Item.Meter, l.Item.Per = r.fixed, schemas.Meter(r.meter), schemas.Per(r.per)
	return l, nil
}
