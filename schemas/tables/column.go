package tables

import (
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/reckon-billing/reckon/schemas"
)

// Columns is told the columns of a row in order: by name and kind, with where the
// value is, to be read or written. One gathers them to insert, one scans into them,
// one hashes them. A list that is a function of such calls costs what the calls cost:
// a list of values with an accessor each was tried, and hashed at two thirds of the
// speed.
type Columns interface {
	// Text is a String, Word a LowCardinality(String): few different ones.
	Text(name string, v *string)
	Word(name string, v *string)
	// Month is a LowCardinality(String) as 2026-10.
	Month(name string, v *schemas.Month)
	// Integer and Count are Int64, Small and Place Int32, Byte is UInt8.
	Integer(name string, v *int64)
	Count(name string, v *int)
	Small(name string, v *int32)
	Place(name string, v *int)
	Byte(name string, v *uint8)
	// Flag is a Bool that follows from the row; there is nothing to scan it into.
	Flag(name string, v bool)
	// Instant is a DateTime64(3, 'UTC').
	Instant(name string, v *time.Time)
	// Quantity is a Decimal(38, 9), Percent a Decimal(9, 4), Money a Decimal(76,
	// decimals of the currency).
	Quantity(name string, v *decimal.Decimal)
	Percent(name string, v *decimal.Decimal)
	Money(name string, v *decimal.Decimal)
	// Digest is a FixedString(32).
	Digest(name string, v *schemas.Digest)
	// Events and Items are lists: of each column of an element the table has an array.
	Events(v *[]schemas.EventRef, columns func(*schemas.EventRef, Columns))
	Items(v *[]schemas.PeriodItem, columns func(*schemas.PeriodItem, Columns))
	// From tells whether the columns that came with a form of hashes are wanted.
	From(form uint8) bool
}

// Table is a stored table, or a view, whose rows are Ts: its name, and its columns.
type Table[T any] struct {
	Name    string
	Columns func(row *T, c Columns)
}

// Values are all columns of a row.
func (t Table[T]) Values(row *T) []Value { return values(^uint8(0), row, t.Columns) }

// Names are the table's columns, as a statement lists them.
func Names[T any](t Table[T]) string {
	var row T
	all := t.Values(&row)
	names := make([]string, len(all))
	for i := range names {
		names[i] = all[i].Name
	}
	return strings.Join(names, ", ")
}
