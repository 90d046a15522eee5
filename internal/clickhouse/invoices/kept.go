package invoices

import (
	"context"
	"fmt"
	"strings"

	"github.com/reckon-billing/reckon/internal/audit"
	"github.com/reckon-billing/reckon/internal/clickhouse/column"
	"github.com/reckon-billing/reckon/schemas"
	"github.com/reckon-billing/reckon/schemas/tables"
)

// kept is what runs keep of a month beside its invoices, as texts of rows made of the
// columns that the rows are inserted from. The name of the table stands before them.
type kept[T any] struct {
	store *Store
	// query is the statement's name; that of elsewhere is made of it.
	query string
	// table is the one that a row belongs in. All of a kind have the same columns.
	table func(*T) tables.Table[T]
}

// KeptPeriods is as [audit.Kept] says, like KeptSnapshots and KeptMinutes. The month
// of snapshots is the one that begins with them: with those of the living come those of
// all that were dead by then.
func (s *Store) KeptPeriods() audit.Kept[schemas.Period] {
	return newKept(s, "kept_periods", func(*schemas.Period) tables.Table[schemas.Period] { return tables.Periods() })
}

// KeptSnapshots is as KeptPeriods says.
func (s *Store) KeptSnapshots() audit.Kept[schemas.Snapshot] {
	return newKept(s, "kept_snapshots", func(one *schemas.Snapshot) tables.Table[schemas.Snapshot] {
		if one.Deleted {
			return tables.Tombstones()
		}
		return tables.Edges()
	})
}

// KeptMinutes is as KeptPeriods says.
func (s *Store) KeptMinutes() audit.Kept[schemas.ResourceMinutes] {
	return newKept(s, "kept_minutes", func(*schemas.ResourceMinutes) tables.Table[schemas.ResourceMinutes] { return tables.ItemMinutes() })
}

// KeptAnomalies is as [audit.Told] says: those that stood when a run was sealed.
func (s *Store) KeptAnomalies() audit.Kept[schemas.Anomaly] {
	return newKept(s, "kept_anomalies", func(*schemas.Anomaly) tables.Table[schemas.Anomaly] { return tables.RunAnomalies() })
}

func newKept[T any](s *Store, query string, table func(*T) tables.Table[T]) audit.Kept[T] {
	return kept[T]{store: s, query: query, table: table}
}

// Kept is as [audit.Kept] says.
func (k kept[T]) Kept(ctx context.Context, month schemas.Month, run int64) (schemas.Cursor[audit.KeptRow], error) {
	rows, err := k.store.db.Rows(ctx, k.query, column.Bind("month", month.String()), column.Bind("run", run))
	if err != nil {
		return nil, err
	}
	return &column.Cursor[audit.KeptRow]{Rows: rows, Scan: scanKept}, nil
}

func scanKept(c *column.Rows) (r audit.KeptRow, err error) {
	err = c.Next(&r.AccountID, &r.ResourceID, &r.Run, &r.Text)
	return r, err
}

// Elsewhere is as [audit.Kept] says.
func (k kept[T]) Elsewhere(ctx context.Context, of schemas.ResourceKey, month schemas.Month, run int64) ([]audit.KeptRow, error) {
	all, err := column.All(ctx, k.store.db, k.query+"_elsewhere", scanKept,
		column.Bind("account", of.AccountID), column.Bind("resource", of.ResourceID), column.Bind("month", month.String()), column.Bind("run", run))
	if err != nil {
		return nil, fmt.Errorf("look for rows of resource %q of account %q elsewhere: %w", of.ResourceID, of.AccountID, err)
	}
	return all, nil
}

// Form is as [audit.Kept] says.
func (k kept[T]) Form() audit.RowForm[T] {
	var one T
	name := &column.StringInput{}
	rows := newTableRows(k.table(&one), k.store.digits)
	return &rowForm[T]{table: k.table, name: name, rows: rows, columns: append(column.Input{{Name: "table", Data: name}}, rows.columns.input...)}
}

// rowForm writes rows as they would be inserted.
type rowForm[T any] struct {
	table func(*T) tables.Table[T]
	name  *column.StringInput
	rows  *tableRows[T]
	// columns are the name and those of the rows.
	columns column.Input
}

// Text is as [audit.RowForm] says.
func (f *rowForm[T]) Text(row *T) (string, error) {
	f.name.Reset()
	f.name.Add(f.table(row).Name)
	if err := f.rows.fill([]T{*row}); err != nil {
		return "", err
	}
	text, err := column.AppendRow(nil, f.columns)
	return string(text), err
}

// Columns is as [audit.RowForm] says.
func (f *rowForm[T]) Columns(text string) ([]audit.Value, error) {
	values, err := column.RowValues(f.columns, text)
	all := make([]audit.Value, len(values))
	for i, v := range values {
		all[i] = audit.Value{Name: v.Name, Text: v.Shown}
	}
	return all, err
}

// rowsOf adds the text of a row of a table, its name before it.
func rowsOf[T any](all column.Texts, t tables.Table[T], digits int32) {
	all.RowOf(t.Name, newTableRows(t, digits).columns.input)
	name := "queries/parts/row_of_" + t.Name + ".sql"
	all[name] = fmt.Sprintf("concat('%d:%s', %s)", len(t.Name), t.Name, strings.TrimSpace(all[name]))
}
