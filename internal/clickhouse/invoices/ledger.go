package invoices

import (
	"context"
	"fmt"

	"github.com/reckon-billing/reckon/internal/clickhouse/column"
	"github.com/reckon-billing/reckon/internal/clickhouse/scope"
	"github.com/reckon-billing/reckon/invoicer"
	"github.com/reckon-billing/reckon/schemas"
)

var _ invoicer.InvoiceStore = (*Store)(nil)

// Write stores a batch as [invoicer.InvoiceStore] says: periods, lines and edges, then
// what proves the invoices, and only then the headers that make them exist.
//
// No insert has a deduplication token here, and the server's own by the bytes
// of the block is off: Forget deletes rows, and the insert that brings them back
// would be dropped as known. A repeated row has the same sort key instead. Nor is
// the server asked to look for such rows within one insert (optimize_on_insert):
// there are none, and looking was a third of its work.
func (s *Store) Write(ctx context.Context, batch invoicer.Batch) error {
	run := batch.Run.Number
	for _, step := range []struct {
		what  string
		rows  int
		write func() error
	}{
		{"periods", len(batch.Periods), func() error { return s.writePeriods(ctx, run, batch.Periods) }},
		{"lines", len(batch.Lines), func() error { return s.writeLines(ctx, run, batch.Lines) }},
		{"edges", len(batch.Snapshots), func() error { return s.writeEdges(ctx, run, batch.Snapshots) }},
		{"item-minutes", len(batch.Minutes), func() error { return s.writeMinutes(ctx, run, batch.Minutes) }},
		{"hashes", len(batch.Hashes), func() error { return s.writeHashes(ctx, batch.Hashes) }},
		{"invoices", len(batch.Invoices), func() error { return s.writeInvoices(ctx, batch.Invoices) }},
	} {
		if step.rows == 0 {
			continue
		}
		if err := step.write(); err != nil {
			return fmt.Errorf("run %d: write %d %s: %w", run, step.rows, step.what, err)
		}
	}
	return nil
}

// Forget removes what the run wrote without a header, as [invoicer.InvoiceStore] says:
// lines of invoices that do not exist, and periods and edges of resources for
// which the run issued none.
func (s *Store) Forget(ctx context.Context, run int64, accounts []string) error {
	for _, name := range []string{"forget_lines", "forget_periods", "forget_edges", "forget_tombstones", "forget_hashes", "forget_minutes"} {
		if err := s.db.Exec(ctx, name, append(scope.BindAccounts(accounts), column.Bind("run", run))...); err != nil {
			return fmt.Errorf("run %d: %w", run, err)
		}
	}
	return nil
}

// Invoiced streams lines as [invoicer.InvoiceStore] says.
func (s *Store) Invoiced(ctx context.Context, run int64, accounts []string) (schemas.Cursor[schemas.Line], error) {
	return s.invoiced(ctx, append(scope.BindAccounts(accounts), column.Bind("run", run), column.Bind("touched", true)))
}

// AllInvoiced streams lines as [invoicer.InvoiceStore] says.
func (s *Store) AllInvoiced(ctx context.Context, run int64) (schemas.Cursor[schemas.Line], error) {
	return s.invoiced(ctx, append(scope.BindAccounts(nil), column.Bind("run", run), column.Bind("touched", false)))
}

func (s *Store) invoiced(ctx context.Context, args []any) (schemas.Cursor[schemas.Line], error) {
	rows, err := s.db.Rows(ctx, "invoiced", args...)
	if err != nil {
		return nil, err
	}
	return &invoiced{Rows: rows}, nil
}

// invoiced reads rows of invoiced.sql.
type invoiced struct {
	*column.Rows
	row lineRow
}

// Next is as [schemas.Cursor] says; the line is a new one each time.
func (c *invoiced) Next() (*schemas.Line, error) {
	if err := c.Rows.Next(c.row.dest()...); err != nil {
		return nil, err
	}
	line, err := c.row.line()
	return &line, err
}
