package invoices

import (
	"time"

	"github.com/shopspring/decimal"

	"github.com/reckon-billing/reckon/internal/clickhouse/column"
	"github.com/reckon-billing/reckon/schemas"
	"github.com/reckon-billing/reckon/schemas/tables"
)

// rowScan is a row that the columns of a table are scanned into.
type rowScan[T any] struct {
	row T
	scan
}

func newRowScan[T any](t tables.Table[T]) *rowScan[T] {
	r := &rowScan[T]{}
	t.Columns(&r.row, &r.scan)
	return r
}

// read scans the next row.
func (r *rowScan[T]) read(rows *column.Rows) (T, error) {
	if err := rows.Next(r.dest...); err != nil {
		var none T
		return none, err
	}
	return r.take(), nil
}

// take is the row that was scanned into dest.
func (r *rowScan[T]) take() T {
	var none T
	r.err, r.monthText = nil, ""
	for _, set := range r.sets {
		set()
	}
	row := r.row
	r.row = none
	return row
}

// scan is where columns are scanned to, and how they get into their row from there.
type scan struct {
	dest []any
	sets []func()
	// err is why a month of the row is none; monthText is what stands there.
	err       error
	monthText string
	// list is where the arrays of a list are scanned to, nil for a row.
	list *scannedList
}

var _ tables.Columns = (*scan)(nil)

// scannedList goes through the elements of a list: at is the one whose columns take
// what was scanned, next the place of the column after among arrays; before the first
// element, at is -1 and the columns make their arrays.
type scannedList struct {
	arrays   []any
	lengths  []func() int
	at, next int
}

// to is a column whose value is scanned as an S.
func to[S, V any](s *scan, v *V, of func(S) V) {
	l := s.list
	switch {
	case l == nil:
		scanned := new(S)
		s.dest, s.sets = append(s.dest, scanned), append(s.sets, func() { *v = of(*scanned) })
	case l.at < 0:
		scanned := new([]S)
		l.arrays, l.lengths = append(l.arrays, scanned), append(l.lengths, func() int { return len(*scanned) })
	default:
		scanned, _ := l.arrays[l.next].(*[]S) // as it was made
		if l.next++; l.at < len(*scanned) {
			*v = of((*scanned)[l.at])
		}
	}
}

// scanList makes a list of arrays; one that is shorter than the others leaves what it
// lacks empty.
func scanList[E any](s *scan, v *[]E, columns func(*E, tables.Columns)) {
	var none E
	l := &scannedList{at: -1}
	columns(&none, &scan{list: l})
	s.dest = append(s.dest, l.arrays...)
	s.sets = append(s.sets, func() {
		n := 0
		for _, length := range l.lengths {
			n = max(n, length())
		}
		if n == 0 {
			return
		}
		*v = make([]E, n)
		for i := range *v {
			l.at, l.next = i, 0
			columns(&(*v)[i], &scan{list: l})
		}
	})
}

func same[V any](v V) V { return v }

// Text and the rest are as [tables.Columns] says.
func (s *scan) Text(_ string, v *string)              { to(s, v, same) }
func (s *scan) Word(_ string, v *string)              { to(s, v, same) }
func (s *scan) Integer(_ string, v *int64)            { to(s, v, same) }
func (s *scan) Count(_ string, v *int)                { to(s, v, func(n int64) int { return int(n) }) }
func (s *scan) Small(_ string, v *int32)              { to(s, v, same) }
func (s *scan) Place(_ string, v *int)                { to(s, v, func(n int32) int { return int(n) }) }
func (s *scan) Byte(_ string, v *uint8)               { to(s, v, same) }
func (s *scan) Instant(_ string, v *time.Time)        { to(s, v, time.Time.UTC) }
func (s *scan) Quantity(_ string, v *decimal.Decimal) { to(s, v, same) }
func (s *scan) Percent(_ string, v *decimal.Decimal)  { to(s, v, same) }
func (s *scan) Money(_ string, v *decimal.Decimal)    { to(s, v, same) }
func (s *scan) Digest(_ string, v *schemas.Digest)    { to(s, v, hashOf) }

// Flag is as [tables.Columns] says: it is read and not kept.
func (s *scan) Flag(string, bool) { to(s, new(bool), same) }

// Month is as [tables.Columns] says; of a text that is no month it is the zero one.
func (s *scan) Month(_ string, v *schemas.Month) {
	to(s, v, func(text string) schemas.Month {
		month, err := schemas.ParseMonth(text)
		s.err, s.monthText = err, text
		return month
	})
}

// Events is as [tables.Columns] says.
func (s *scan) Events(v *[]schemas.EventRef, columns func(*schemas.EventRef, tables.Columns)) {
	scanList(s, v, columns)
}

// Items is as [tables.Columns] says.
func (s *scan) Items(v *[]schemas.PeriodItem, columns func(*schemas.PeriodItem, tables.Columns)) {
	scanList(s, v, columns)
}

// From is as [tables.Columns] says: all columns are stored.
func (s *scan) From(uint8) bool { return true }
