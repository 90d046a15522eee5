package invoices

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/reckon-billing/reckon/internal/clickhouse/column"
	"github.com/reckon-billing/reckon/internal/clickhouse/scope"
	"github.com/reckon-billing/reckon/invoicer"
	"github.com/reckon-billing/reckon/schemas"
	"github.com/reckon-billing/reckon/schemas/tables"
)

var _ invoicer.InvoiceStore = (*Store)(nil)

// Write stores a batch as [invoicer.InvoiceStore] says: anomalies, periods, lines and snapshots, then
// what proves the invoices, and only then the headers that make them exist.
//
// No insert has a deduplication token here, and the server's own by the bytes
// of the block is off: a block that brings back what Forget or an operator deleted
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
		{"anomalies", len(batch.Anomalies), func() error { return s.writeAnomalies(ctx, batch.Anomalies) }},
		{"periods", len(batch.Periods), func() error {
			return insertRows(ctx, s, batch.Periods, func(r *rowSet) *tableRows[schemas.Period] { return r.periods })
		}},
		{"lines", len(batch.Lines), func() error {
			return insertRows(ctx, s, batch.Lines, func(r *rowSet) *tableRows[schemas.Line] { return r.lines })
		}},
		{"edges", len(batch.Snapshots), func() error { return s.writeSnapshots(ctx, batch.Snapshots) }},
		{"item-minutes", len(batch.Minutes), func() error {
			return insertRows(ctx, s, batch.Minutes, func(r *rowSet) *tableRows[schemas.ResourceMinutes] { return r.minutes })
		}},
		{"hashes", len(batch.Hashes), func() error {
			return insertRows(ctx, s, batch.Hashes, func(r *rowSet) *tableRows[schemas.InvoiceHash] { return r.hashes })
		}},
		{"invoices", len(batch.Invoices), func() error {
			return insertRows(ctx, s, batch.Invoices, func(r *rowSet) *tableRows[schemas.Invoice] { return r.headers })
		}},
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

// writeSnapshots puts those of what is alive and of what is not into their tables.
func (s *Store) writeSnapshots(ctx context.Context, all []schemas.Snapshot) error {
	for some := range slices.Chunk(all, insertedRows) {
		if err := s.insertSnapshots(ctx, some); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) insertSnapshots(ctx context.Context, all []schemas.Snapshot) error {
	set := s.rowSets.take(s.digits)
	counts := map[*tableRows[schemas.Snapshot]]int{}
	set.living.columns.input.Reset()
	set.dead.columns.input.Reset()
	for i := range all {
		rows := set.living
		if all[i].Deleted {
			rows = set.dead
		}
		rows.add(&all[i])
		counts[rows]++
	}
	var inserts []column.Insert
	for _, rows := range []*tableRows[schemas.Snapshot]{set.living, set.dead} {
		if err := rows.columns.failure(); err != nil {
			return err
		}
		if counts[rows] > 0 {
			inserts = append(inserts, rows.insert())
		}
	}
	if err := s.db.Insert(ctx, "", inserts...); err != nil {
		return err
	}
	s.rowSets.give(set)
	return nil
}

// Written streams keys as [invoicer.InvoiceStore] says.
func (s *Store) Written(ctx context.Context, run int64, accounts []string) (schemas.Cursor[tables.RowKey], error) {
	rows, err := s.db.Rows(ctx, "written", column.Bind("run", run), column.Bind("accounts", accounts))
	if err != nil {
		return nil, err
	}
	return &written{Rows: rows}, nil
}

// written reads rows of written.sql.
type written struct {
	*column.Rows
	key tables.RowKey
}

// Next is as [schemas.Cursor] says; the key is overwritten by the next.
func (c *written) Next() (*tables.RowKey, error) {
	k := &c.key
	return k, c.Rows.Next(&k.Table, &k.AccountID, &k.ResourceID, &k.Place)
}

// Forget removes rows as [invoicer.InvoiceStore] says.
func (s *Store) Forget(ctx context.Context, run int64, rows []tables.RowKey) error {
	byTable := map[string][]tables.RowKey{}
	for _, k := range rows {
		byTable[k.Table] = append(byTable[k.Table], k)
	}
	for _, table := range slices.Sorted(maps.Keys(byTable)) {
		for some := range slices.Chunk(byTable[table], forgetRows) {
			var accounts, resources, places []string
			for _, k := range some {
				accounts, resources, places = append(accounts, k.AccountID), append(resources, k.ResourceID), append(places, k.Place)
			}
			if err := s.db.Exec(ctx, "forget_"+table, column.Bind("run", run), column.Bind("accounts", accounts),
				column.Bind("resources", resources), column.Bind("places", places)); err != nil {
				return fmt.Errorf("run %d: %w", run, err)
			}
		}
	}
	return nil
}

// forgetRows are the rows that one statement removes: their keys are its parameters.
const forgetRows = 2000

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
	return &invoiced{rows, newRowScan(tables.Lines())}, nil
}

// invoiced reads rows of invoiced.sql.
type invoiced struct {
	*column.Rows
	row *rowScan[schemas.Line]
}

// Next is as [schemas.Cursor] says; the line is a new one each time.
func (c *invoiced) Next() (*schemas.Line, error) {
	line, err := c.row.read(c.Rows)
	if err == nil && c.row.err != nil {
		err = fmt.Errorf("stored line of invoice %s: %w", line.InvoiceCode, c.row.err)
	}
	return &line, err
}
