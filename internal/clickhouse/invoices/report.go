package invoices

import (
	"context"
	"fmt"

	"github.com/reckon-billing/reckon/internal/audit"
	"github.com/reckon-billing/reckon/internal/clickhouse/column"
	"github.com/reckon-billing/reckon/schemas"
	"github.com/reckon-billing/reckon/schemas/tables"
)

// UsageReport yields the rows of a month, adjustments of it included, ordered
// by account, resource, period start, item position, run, then line number. An empty
// account means all. An error of yield ends it and is returned.
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
// account, resource, period start and line number.
func (s *Store) RunRows(ctx context.Context, run int64, yield func(schemas.ReportRow) error) error {
	if err := s.reportRows(ctx, "run_rows", yield, column.Bind("run", run)); err != nil {
		return fmt.Errorf("rows of run %d: %w", run, err)
	}
	return nil
}

// Invoice is one invoice with its lines in its order. The error
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
	row := newRowScan(tables.Invoices())
	all, err := column.All(ctx, s.db, "invoice", row.read, column.Bind("month", month.String()), column.Bind("code", code))
	if err != nil {
		return schemas.Invoice{}, err
	}
	if len(all) == 0 {
		return schemas.Invoice{}, audit.ErrNotFound
	}
	return all[len(all)-1], nil
}

func (s *Store) reportRows(ctx context.Context, name string, yield func(schemas.ReportRow) error, args ...any) error {
	row := newRowScan(tables.ReportRows())
	return s.db.Each(ctx, name, row.dest, func() error {
		r := row.take()
		if row.err != nil {
			return fmt.Errorf("stored line of invoice %s: %w", r.InvoiceCode, row.err)
		}
		return yield(r)
	}, args...)
}
