package invoices

import (
	"time"

	"github.com/shopspring/decimal"

	"github.com/reckon-billing/reckon/internal/clickhouse/column"
	"github.com/reckon-billing/reckon/schemas"
	"github.com/reckon-billing/reckon/schemas/tables"
)

// tableRows are rows of a table, by column, to insert.
type tableRows[T any] struct {
	table   tables.Table[T]
	columns *gathered
}

func newTableRows[T any](t tables.Table[T], digits int32) *tableRows[T] {
	return &tableRows[T]{t, newGathered(digits, func(c tables.Columns) {
		var none T
		t.Columns(&none, c)
	})}
}

// fill takes the rows in place of what was there. It refuses a number that a column
// cannot hold.
func (r *tableRows[T]) fill(rows []T) error {
	r.columns.input.Reset()
	for i := range rows {
		r.add(&rows[i])
	}
	return r.columns.failure()
}

func (r *tableRows[T]) add(row *T) {
	r.columns.begin()
	r.table.Columns(row, r.columns)
}

// insert are the rows to insert. No two are of one key, so that none are looked for.
func (r *tableRows[T]) insert() column.Insert {
	settings := column.Settings{"optimize_on_insert": 0}
	return column.Insert{Table: r.table.Name, Settings: settings, Blocks: []column.Input{r.columns.input}}
}

// gathered are columns that rows are gathered in. They are made when they are told of
// the first time, and taken in the same order with every row.
type gathered struct {
	input      column.Input
	places     int32
	texts      slots[column.StringInput]
	words      slots[column.LowCardinalityInput]
	months     slots[monthInput]
	integers   slots[column.Int64s]
	smalls     slots[column.Int32s]
	bytes      slots[column.UInt8s]
	flags      slots[column.Bools]
	quantities slots[column.Decimal128Input]
	percents   slots[column.Decimal32Input]
	monies     slots[column.Decimal256Input]
	digests    slots[column.FixedStrings]
	lists      slots[gatheredList]
	err        error
}

var _ tables.Columns = (*gathered)(nil)

func newGathered(digits int32, row func(tables.Columns)) *gathered {
	c := &gathered{places: digits}
	row(c)
	c.input.Reset()
	return c
}

// begin is before each row.
func (c *gathered) begin() {
	c.texts.next, c.words.next, c.months.next, c.integers.next, c.smalls.next, c.bytes.next, c.flags.next = 0, 0, 0, 0, 0, 0, 0
	c.quantities.next, c.percents.next, c.monies.next, c.digests.next, c.lists.next = 0, 0, 0, 0, 0
}

// failure is the first number that a column could not hold.
func (c *gathered) failure() error {
	err := c.err
	c.err = nil
	return err
}

// slots are the columns of a kind in order; next is the one that is told of next.
type slots[C any] struct {
	all  []*C
	next int
}

func (s *slots[C]) take() *C {
	if s.next == len(s.all) {
		return nil
	}
	c := s.all[s.next]
	s.next++
	return c
}

// add makes a column.
func add[C any](c *gathered, s *slots[C], name string, to *C, as column.Resettable) *C {
	s.all, s.next = append(s.all, to), s.next+1
	as.Reset()
	c.input = append(c.input, column.InputColumn{Name: name, Data: as})
	return to
}

// Text and the rest are as [tables.Columns] says.
func (c *gathered) Text(name string, v *string) {
	to := c.texts.take()
	if to == nil {
		n := &column.StringInput{}
		to = add(c, &c.texts, name, n, n)
	}
	to.Add(*v)
}

// Word is as [tables.Columns] says.
func (c *gathered) Word(name string, v *string) {
	to := c.words.take()
	if to == nil {
		n := &column.LowCardinalityInput{}
		to = add(c, &c.words, name, n, n)
	}
	to.Add(*v)
}

// monthInput remembers the text of a month: the rows of a batch have few.
type monthInput struct {
	column.LowCardinalityInput
	month monthText
}

// monthText remembers the text of a month.
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

// Month is as [tables.Columns] says.
func (c *gathered) Month(name string, v *schemas.Month) {
	to := c.months.take()
	if to == nil {
		n := &monthInput{}
		to = add(c, &c.months, name, n, &n.LowCardinalityInput)
	}
	to.Add(to.month.of(*v))
}

func (c *gathered) integer(name string, v int64) {
	to := c.integers.take()
	if to == nil {
		n := &column.Int64s{}
		to = add(c, &c.integers, name, n, n)
	}
	*to = append(*to, v)
}

func (c *gathered) small(name string, v int32) {
	to := c.smalls.take()
	if to == nil {
		n := &column.Int32s{}
		to = add(c, &c.smalls, name, n, n)
	}
	*to = append(*to, v)
}

// Integer, Count, Small and Place are as [tables.Columns] says.
func (c *gathered) Integer(name string, v *int64) { c.integer(name, *v) }
func (c *gathered) Count(name string, v *int)     { c.integer(name, int64(*v)) }
func (c *gathered) Small(name string, v *int32)   { c.small(name, *v) }
func (c *gathered) Place(name string, v *int)     { c.small(name, int32(*v)) } //nolint:gosec // a place in a list of items

// Byte is as [tables.Columns] says.
func (c *gathered) Byte(name string, v *uint8) {
	to := c.bytes.take()
	if to == nil {
		n := &column.UInt8s{}
		to = add(c, &c.bytes, name, n, n)
	}
	*to = append(*to, *v)
}

// Flag is as [tables.Columns] says.
func (c *gathered) Flag(name string, v bool) {
	to := c.flags.take()
	if to == nil {
		n := &column.Bools{}
		to = add(c, &c.flags, name, n, n)
	}
	*to = append(*to, v)
}

// Instant is as [tables.Columns] says.
func (c *gathered) Instant(name string, v *time.Time) {
	to := c.integers.take()
	if to == nil {
		n := &column.Int64s{}
		to = add(c, &c.integers, name, n, column.Millis(n))
	}
	*to = append(*to, v.UnixMilli())
}

// Digest is as [tables.Columns] says.
func (c *gathered) Digest(name string, v *schemas.Digest) {
	to := c.digests.take()
	if to == nil {
		n := &column.FixedStrings{Size: len(v)}
		to = add(c, &c.digests, name, n, n)
	}
	to.Append(v[:])
}

// Quantity is as [tables.Columns] says.
func (c *gathered) Quantity(name string, v *decimal.Decimal) {
	to := c.quantities.take()
	if to == nil {
		n := &column.Decimal128Input{Name: name, Places: 9}
		to = add(c, &c.quantities, name, n, n)
	}
	c.note(to.Add(*v))
}

// Percent is as [tables.Columns] says.
func (c *gathered) Percent(name string, v *decimal.Decimal) {
	to := c.percents.take()
	if to == nil {
		n := &column.Decimal32Input{Name: name, Places: 4}
		to = add(c, &c.percents, name, n, n)
	}
	c.note(to.Add(*v))
}

// Money is as [tables.Columns] says.
func (c *gathered) Money(name string, v *decimal.Decimal) {
	to := c.monies.take()
	if to == nil {
		n := &column.Decimal256Input{Name: name, Places: c.places}
		to = add(c, &c.monies, name, n, n)
	}
	c.note(to.Add(*v))
}

func (c *gathered) note(err error) {
	if err != nil && c.err == nil {
		c.err = err
	}
}

// From is as [tables.Columns] says: all columns are stored.
func (c *gathered) From(uint8) bool { return true }
