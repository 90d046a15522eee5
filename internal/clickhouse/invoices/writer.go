package invoices

import (
	"context"
	"slices"
	"sync"

	"github.com/reckon-billing/reckon/schemas"
	"github.com/reckon-billing/reckon/schemas/tables"
)

// rowSet is the columns that the rows of each table are gathered in, used by one
// batch at a time.
type rowSet struct {
	periods      *tableRows[schemas.Period]
	lines        *tableRows[schemas.Line]
	living, dead *tableRows[schemas.Snapshot]
	minutes      *tableRows[schemas.ResourceMinutes]
	hashes       *tableRows[schemas.InvoiceHash]
	headers      *tableRows[schemas.Invoice]
	anomalies    *tableRows[schemas.Anomaly]
	surveyed     *tableRows[tables.Surveyed]
}

func newRowSet(digits int32) *rowSet {
	return &rowSet{
		periods: newTableRows(tables.Periods(), digits), lines: newTableRows(tables.Lines(), digits),
		living: newTableRows(tables.Edges(), digits), dead: newTableRows(tables.Tombstones(), digits),
		minutes: newTableRows(tables.ItemMinutes(), digits), hashes: newTableRows(tables.InvoiceHashes(), digits),
		headers: newTableRows(tables.Invoices(), digits), anomalies: newTableRows(tables.RunAnomalies(), digits),
		surveyed: newTableRows(tables.SurveyAnomalies(), digits),
	}
}

// rowSets are those that no batch uses now: their memory is used again, the last one's
// first.
type rowSets struct {
	mu   sync.Mutex
	idle []*rowSet
}

func (p *rowSets) take(digits int32) *rowSet {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.idle) == 0 {
		return newRowSet(digits)
	}
	r := p.idle[len(p.idle)-1]
	p.idle = p.idle[:len(p.idle)-1]
	return r
}

func (p *rowSets) give(r *rowSet) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.idle = append(p.idle, r)
}

// insertedRows are the rows that one insert has at most: their columns lie in memory.
const insertedRows = 50_000

// insertRows inserts rows into a table.
func insertRows[T any](ctx context.Context, s *Store, all []T, of func(*rowSet) *tableRows[T]) error {
	for some := range slices.Chunk(all, insertedRows) {
		if err := insertSome(ctx, s, some, of); err != nil {
			return err
		}
	}
	return nil
}

func insertSome[T any](ctx context.Context, s *Store, all []T, of func(*rowSet) *tableRows[T]) error {
	set := s.rowSets.take(s.digits)
	rows := of(set)
	if err := rows.fill(all); err != nil {
		return err
	}
	if err := s.db.Insert(ctx, "", rows.insert()); err != nil {
		return err // nobody knows whether its columns are still being sent
	}
	s.rowSets.give(set)
	return nil
}
