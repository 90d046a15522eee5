package column

import (
	"fmt"
	"strings"
	"time"

	"github.com/shopspring/decimal"
)

// Field is a column of a table of few rows, and where one row has its value: insert,
// select and scan come from one list of them. What Value points to is a string,
// int64, int32, bool or a list of those, or a time, kept in milliseconds; or it is a
// [Word], a [Money] or [Tuples].
type Field struct {
	Name  string
	Value any
}

// Word is a value of a column LowCardinality(String).
type Word struct{ Text *string }

// Money is a value of a column Decimal(76, Places).
type Money struct {
	Amount *decimal.Decimal
	Places int32
}

// Tuples is a value of a column Array(Tuple(…)): a list for each element, equally long.
type Tuples []Field

// Fields are the columns of a row, in order.
type Fields []Field

// Names are the columns as a query selects them.
func (f Fields) Names() string {
	var names []string
	for _, field := range f {
		tuples, ok := field.Value.(Tuples)
		if !ok {
			names = append(names, field.Name)
		}
		for _, element := range tuples {
			names = append(names, field.Name+"."+element.Name)
		}
	}
	return strings.Join(names, ", ")
}

// Dest is where a row is scanned to, in the order of Names.
func (f Fields) Dest() []any {
	var dest []any
	for _, field := range f {
		switch v := field.Value.(type) {
		case Tuples:
			dest = append(dest, Fields(v).Dest()...)
		case Word:
			dest = append(dest, v.Text)
		case Money:
			dest = append(dest, v.Amount)
		default:
			dest = append(dest, v)
		}
	}
	return dest
}

// Input is the row to insert. It refuses an amount that the column cannot hold.
func (f Fields) Input() (Input, error) {
	var row Input
	for _, field := range f {
		data, err := field.input()
		if err != nil {
			return nil, err
		}
		row = append(row, InputColumn{Name: field.Name, Data: data})
	}
	return row, nil
}

// input is the column of one row.
func (f *Field) input() (Resettable, error) {
	switch v := f.Value.(type) {
	case *time.Time:
		return MillisOf(*v), nil
	case Word:
		c := &LowCardinalityInput{}
		c.Reset()
		c.Add(*v.Text)
		return c, nil
	case Money:
		c := &Decimal256Input{Name: f.Name, Places: v.Places}
		return c, c.Add(*v.Amount)
	case Tuples:
		var elements TupleInput
		for _, element := range v {
			elements = append(elements, InputColumn{Name: element.Name, Data: valuesOf(element.Value)})
		}
		return ListOf(elements), nil
	case *[]string, *[]int64, *[]int32:
		return ListOf(valuesOf(v)), nil
	}
	if c := valuesOf(f.Value); c != nil {
		return c, nil
	}
	return nil, fmt.Errorf("column %s: a %T is no value of a field", f.Name, f.Value)
}

// valuesOf is a column of a value, or of all those of a list; nil of another type.
func valuesOf(value any) Resettable {
	switch v := value.(type) {
	case *string:
		return StringsOf(*v)
	case *[]string:
		return StringsOf(*v...)
	case *int64:
		return &Int64s{*v}
	case *[]int64:
		c := Int64s(*v)
		return &c
	case *int32:
		return &Int32s{*v}
	case *[]int32:
		c := Int32s(*v)
		return &c
	case *bool:
		return &Bools{*v}
	}
	return nil
}
