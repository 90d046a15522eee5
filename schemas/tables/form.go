package tables

import (
	"fmt"

	"github.com/reckon-billing/reckon/schemas"
)

// Form is a way to hash an invoice: which columns of its header and of its lines
// are in it, in order. A column that a table gains is a new form, and in all after
// it, so that what was sealed before keeps its hash.
type Form struct {
	Number  uint8
	invoice func(*schemas.Invoice, Columns)
	line    func(*schemas.Line, Columns)
}

// Forms are all forms by number, from 1.
type Forms []Form

// NewForms are the forms that the columns of headers and of lines say.
func NewForms(invoices Table[schemas.Invoice], lines Table[schemas.Line]) Forms {
	var all Hasher
	all.form = ^uint8(0)
	invoices.Columns(&schemas.Invoice{}, &all)
	lines.Columns(&schemas.Line{}, &all)
	forms := make(Forms, max(1, all.newest))
	for i := range forms {
		forms[i] = Form{uint8(i + 1), invoices.Columns, lines.Columns}
	}
	return forms
}

//nolint:gochecknoglobals // made once, never changed
var storedForms = NewForms(Invoices(), Lines())

// StoredForms are those of the tables as they are stored.
func StoredForms() Forms { return storedForms }

// NewestForm is the one that invoices are hashed by now.
func NewestForm() *Form { return &storedForms[len(storedForms)-1] }

// Of is the form of a number.
func (f Forms) Of(number uint8) (*Form, error) {
	if number == 0 || int(number) > len(f) {
		return nil, fmt.Errorf("a hash of form %d: this program knows forms up to %d, a newer one must have written it", number, len(f))
	}
	return &f[number-1], nil
}

// Numbered tells whether the lines of a document have numbers in this form, which say
// their order. In older forms they have none, and stand in the order of their items.
func (f *Form) Numbered() bool { return f.Number >= numberedFrom }

// numberedFrom is the form with which lines got numbers.
const numberedFrom = 2

// Value is a column of a row, its value in canonical text: numbers without trailing
// zeros, times in Unix milliseconds.
type Value struct{ Name, Text string }

// Header are the form's columns of a header.
func (f *Form) Header(h *schemas.Invoice) []Value { return values(f.Number, h, f.invoice) }

// Line are the form's columns of a line.
func (f *Form) Line(l *schemas.Line) []Value { return values(f.Number, l, f.line) }

func values[T any](form uint8, row *T, columns func(*T, Columns)) []Value {
	d := Hasher{form: form, listing: true}
	columns(row, &d)
	return d.values
}

// Hash is the SHA-256 of an invoice: its header, then its lines in the order of the
// document ([CompareLines]), of each every column of the form. Before each text
// stands its length, and before the lines their number, so that no two invoices look
// alike.
func (f *Form) Hash(h *schemas.Invoice, lines []schemas.Line) schemas.Digest {
	var d Hasher
	return d.Invoice(f, h, lines)
}
