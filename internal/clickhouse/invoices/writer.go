package invoices

import (
	"context"
	"sync"

	"github.com/reckon-billing/reckon/internal/clickhouse/column"
	"github.com/reckon-billing/reckon/schemas"
)

// rowSet is the columns that the rows of each table are gathered in, used by one
// batch at a time.
type rowSet struct {
	periods      *periodRows
	lines        *lineRows
	living, dead *stateRows
	minutes      *minuteRows
	hashes       *hashRows
	headers      *headerRows
}

func newRowSet(digits int32) *rowSet {
	return &rowSet{
		periods: newPeriodRows(digits), lines: newLineRows(digits), living: newStateRows(digits), dead: newStateRows(digits),
		minutes: newMinuteRows(), hashes: newHashRows(), headers: newHeaderRows(digits),
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

// table is rows by column.
type table[T any] interface {
	// add refuses a row with a number that a column cannot hold. Rows that know
	// their run themselves go by that.
	add(run int64, row *T) error
	input() column.Input
}

// monthly is what the tables of a seal have in common.
type monthly struct {
	month monthText
	all   column.Input
}

func (m *monthly) input() column.Input { return m.all }

// monthText remembers the text of a month: the rows of a batch have few.
type monthText struct {
	month schemas.Month
	text  string
}

func (m *monthText) of(month schemas.Month) string {
	if m.text == "" || month != m.month {
		m.month, m.text = month, month.String()
	}
	return m.text
}

// insertRows inserts rows into the table that the statement is for.
func insertRows[T any](ctx context.Context, s *Store, statement string, run int64, all []T, of func(*rowSet) table[T]) error {
	rows := s.rowSets.take(s.digits)
	t := of(rows)
	t.input().Reset()
	for i := range all {
		if err := t.add(run, &all[i]); err != nil {
			return err
		}
	}
	if err := s.insert(ctx, statement, t.input()); err != nil {
		return err // nobody knows whether its columns are still being sent
	}
	s.rowSets.give(rows)
	return nil
}
