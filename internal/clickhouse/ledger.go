package clickhouse

import (
	"context"
	"fmt"
	"time"

	"github.com/reckon-billing/reckon/invoicer"
	"github.com/reckon-billing/reckon/schemas"
)

var _ invoicer.Ledger = (*Store)(nil)

// Write stores a batch as [invoicer.Ledger] says: periods, lines and edges, then
// what proves the invoices, and only then the headers that make them exist.
//
// No insert has a deduplication token here, and the server's own by the bytes
// of the block is off: Forget deletes rows, and the insert that brings them back
// would be dropped as known. A repeated row has the same sort key instead.
func (s *Store) Write(ctx context.Context, batch invoicer.Batch) error {
	run := batch.Run.Number
	for _, step := range []struct {
		what  string
		rows  int
		write func() error
	}{
		{"periods", len(batch.Periods), func() error { return s.writePeriods(ctx, run, batch.Periods) }},
		{"lines", len(batch.Lines), func() error { return s.writeLines(ctx, run, batch.Lines) }},
		{"edges", len(batch.Edges), func() error { return s.writeEdges(ctx, run, batch.Edges) }},
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

// writeEdges puts the states of what is alive and of what is not into their
// tables.
func (s *Store) writeEdges(ctx context.Context, run int64, all []schemas.Edge) error {
	living, dead := s.newEdgeColumns(), s.newEdgeColumns()
	for i := range all {
		if all[i].Deleted {
			dead.add(run, &all[i])
		} else {
			living.add(run, &all[i])
		}
	}
	if err := firstError(living.used, dead.used); err != nil {
		return err
	}
	if len(living.months) > 0 {
		if err := s.insert(ctx, "insert_edges", "", living.columns()...); err != nil {
			return err
		}
	}
	if len(dead.months) > 0 {
		return s.insert(ctx, "insert_tombstones", "", dead.columns()...)
	}
	return nil
}

type edgeColumns struct {
	months, accounts, resources, states []string
	runs                                []int64
	used                                *decimals
}

func (s *Store) newEdgeColumns() edgeColumns { return edgeColumns{used: s.money("coupon_used", 0)} }

func (c *edgeColumns) add(run int64, e *schemas.Edge) {
	c.months, c.accounts = append(c.months, e.At.String()), append(c.accounts, e.AccountID)
	c.resources, c.states = append(c.resources, e.ResourceID), append(c.states, e.State)
	c.runs = append(c.runs, run)
	c.used.add(e.CouponUsed)
}

func (c *edgeColumns) columns() []any {
	return []any{c.months, c.accounts, c.resources, c.runs, c.states, c.used.values}
}

func (s *Store) writeInvoices(ctx context.Context, all []schemas.Invoice) error {
	n := len(all)
	var (
		months, accounts, resources = make([]string, n), make([]string, n), make([]string, n)
		codes, kinds                = make([]string, n), make([]string, n)
		runs, lines, lateEvents     = make([]int64, n), make([]int64, n), make([]int64, n)
		created, starts, ends       = make([]time.Time, n), make([]time.Time, n), make([]time.Time, n)
		money                       = s.newAmounts(n)
		late                        = newRefLists(n)
	)
	for i := range all {
		h := &all[i]
		months[i], accounts[i], resources[i] = h.Month.String(), h.AccountID, h.ResourceID
		codes[i], kinds[i], runs[i], created[i] = h.Code, string(h.Kind), h.Run, h.CreatedAt
		starts[i], ends[i], lines[i], lateEvents[i] = h.PeriodStart, h.PeriodEnd, int64(h.Lines), h.LateEvents
		money.add(&h.Amounts)
		late.add(h.Late)
	}
	if err := money.err(); err != nil {
		return err
	}
	columns := append([]any{months, accounts, resources, codes, kinds, runs, created, starts, ends, lines}, money.columns()...)
	columns = append(append(columns, lateEvents), late.columns()...)
	return s.insert(ctx, "insert_invoices", "", columns...)
}

// Forget removes what the run wrote without a header, as [invoicer.Ledger] says:
// lines of invoices that do not exist, and periods and edges of resources for
// which the run issued none.
func (s *Store) Forget(ctx context.Context, run int64, accounts []string) error {
	for _, name := range []string{"forget_lines", "forget_periods", "forget_edges", "forget_tombstones", "forget_hashes", "forget_minutes"} {
		if err := s.exec(ctx, name, append(bindAccounts(accounts), bind("run", run))...); err != nil {
			return fmt.Errorf("run %d: %w", run, err)
		}
	}
	return nil
}

// Invoiced streams lines as [invoicer.Ledger] says.
func (s *Store) Invoiced(ctx context.Context, run int64, accounts []string) (invoicer.InvoicedCursor, error) {
	return s.invoiced(ctx, append(bindAccounts(accounts), bind("run", run), bind("touched", true)))
}

// AllInvoiced streams lines as [invoicer.Ledger] says.
func (s *Store) AllInvoiced(ctx context.Context, run int64) (invoicer.InvoicedCursor, error) {
	return s.invoiced(ctx, append(bindAccounts(nil), bind("run", run), bind("touched", false)))
}

func (s *Store) invoiced(ctx context.Context, args []any) (invoicer.InvoicedCursor, error) {
	rows, err := s.stream(ctx, "invoiced", args...)
	if err != nil {
		return nil, err
	}
	return &invoiced{cursor: rows}, nil
}

// invoiced reads rows of invoiced.sql.
type invoiced struct {
	*cursor
	row lineRow
}

// Next is as [invoicer.InvoicedCursor] says; the line is a new one each time.
func (c *invoiced) Next() (*schemas.Line, error) {
	if err := c.next(c.row.dest()...); err != nil {
		return nil, err
	}
	line, err := c.row.line()
	return &line, err
}
