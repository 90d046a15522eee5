package tables

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/reckon-billing/reckon/schemas"
)

// Hasher hashes one invoice after the other: its memory is used again.
type Hasher struct {
	buffer []byte
	order  []int
	// form is the one of whose columns it is told; newest the newest that it heard of.
	form, newest uint8
	// listing keeps the columns in values, too.
	listing bool
	values  []Value

	lastMonth schemas.Month
	monthText string
	// noEvent and noItem are the columns of elements of lists.
	noEvent, noItem []Value
}

var _ Columns = (*Hasher)(nil)

// Invoice is [Form.Hash].
func (d *Hasher) Invoice(f *Form, h *schemas.Invoice, lines []schemas.Line) schemas.Digest {
	if d.buffer = d.buffer[:0]; d.form != f.Number {
		d.form, d.noEvent, d.noItem = f.Number, nil, nil
	}
	f.invoice(h, d)
	d.integer("lines", int64(len(lines)))
	compare := CompareLines
	if !f.Numbered() {
		compare = compareUnnumbered
	}
	d.order = lineOrder(d.order[:0], lines, compare)
	for _, i := range d.order {
		f.line(&lines[i], d)
	}
	return sha256.Sum256(d.buffer)
}

// CompareLines orders the lines of one invoice: by number, and those without one by
// period start, position, item and coupon.
func CompareLines(a, b *schemas.Line) int {
	if c := cmp.Compare(a.Number, b.Number); c != 0 {
		return c
	}
	return compareUnnumbered(a, b)
}

func compareUnnumbered(a, b *schemas.Line) int {
	if c := cmp.Or(a.PeriodStart.Compare(b.PeriodStart), cmp.Compare(a.Position, b.Position)); c != 0 {
		return c
	}
	return cmp.Or(strings.Compare(a.Item.Name, b.Item.Name), strings.Compare(a.CouponCode, b.CouponCode))
}

// lineOrder appends the places of the lines in their order, which most have.
func lineOrder(order []int, lines []schemas.Line, compare func(a, b *schemas.Line) int) []int {
	isSorted := true
	for i := range lines {
		order = append(order, i)
		isSorted = isSorted && (i == 0 || compare(&lines[i-1], &lines[i]) <= 0)
	}
	if !isSorted {
		slices.SortStableFunc(order, func(i, j int) int { return compare(&lines[i], &lines[j]) })
	}
	return order
}

// lengthBytes stand before each text.
const lengthBytes = 8

// begin makes room for the length of a text, end fills it in.
func (d *Hasher) begin() int {
	d.buffer = append(d.buffer, make([]byte, lengthBytes)...)
	return len(d.buffer)
}

func (d *Hasher) end(name string, at int) {
	binary.BigEndian.PutUint64(d.buffer[at-lengthBytes:], uint64(len(d.buffer)-at)) //nolint:gosec // never negative
	if d.listing {
		d.values = append(d.values, Value{name, string(d.buffer[at:])})
	}
}

func (d *Hasher) text(name, value string) {
	at := d.begin()
	d.buffer = append(d.buffer, value...)
	d.end(name, at)
}

func (d *Hasher) integer(name string, n int64) {
	at := d.begin()
	d.buffer = strconv.AppendInt(d.buffer, n, 10)
	d.end(name, at)
}

// exact writes what [schemas.FormatDecimal] does; most numbers are short and whole.
func (d *Hasher) exact(name string, v *decimal.Decimal) {
	switch {
	case v.IsZero():
		d.text(name, "0")
	case v.Exponent() == 0 && v.NumDigits() <= 18:
		d.integer(name, v.CoefficientInt64())
	default:
		at := d.begin()
		d.buffer = schemas.AppendDecimal(d.buffer, *v)
		d.end(name, at)
	}
}

// Text is as [Columns] says, like those that follow: each writes its value's text.
func (d *Hasher) Text(name string, v *string) { d.text(name, *v) }

// Word is as [Columns] says.
func (d *Hasher) Word(name string, v *string) { d.text(name, *v) }

// Integer is as [Columns] says.
func (d *Hasher) Integer(name string, v *int64) { d.integer(name, *v) }

// Count is as [Columns] says.
func (d *Hasher) Count(name string, v *int) { d.integer(name, int64(*v)) }

// Small is as [Columns] says.
func (d *Hasher) Small(name string, v *int32) { d.integer(name, int64(*v)) }

// Place is as [Columns] says.
func (d *Hasher) Place(name string, v *int) { d.integer(name, int64(*v)) }

// Byte is as [Columns] says.
func (d *Hasher) Byte(name string, v *uint8) { d.integer(name, int64(*v)) }

// Flag is as [Columns] says.
func (d *Hasher) Flag(name string, v bool) { d.text(name, strconv.FormatBool(v)) }

// Instant is as [Columns] says.
func (d *Hasher) Instant(name string, v *time.Time) { d.integer(name, v.UnixMilli()) }

// Quantity is as [Columns] says.
func (d *Hasher) Quantity(name string, v *decimal.Decimal) { d.exact(name, v) }

// Percent is as [Columns] says.
func (d *Hasher) Percent(name string, v *decimal.Decimal) { d.exact(name, v) }

// Money is as [Columns] says.
func (d *Hasher) Money(name string, v *decimal.Decimal) { d.exact(name, v) }

// Digest is as [Columns] says.
func (d *Hasher) Digest(name string, v *schemas.Digest) { d.text(name, hex.EncodeToString(v[:])) }

// Month is as [Columns] says.
func (d *Hasher) Month(name string, v *schemas.Month) {
	if *v != d.lastMonth || d.monthText == "" {
		d.lastMonth, d.monthText = *v, v.String()
	}
	d.text(name, d.monthText)
}

// Events is as [Columns] says.
func (d *Hasher) Events(v *[]schemas.EventRef, columns func(*schemas.EventRef, Columns)) {
	if d.noEvent == nil {
		d.noEvent = elements(d, columns)
	}
	hashList(d, *v, columns, d.noEvent)
}

// Items is as [Columns] says.
func (d *Hasher) Items(v *[]schemas.PeriodItem, columns func(*schemas.PeriodItem, Columns)) {
	if d.noItem == nil {
		d.noItem = elements(d, columns)
	}
	hashList(d, *v, columns, d.noItem)
}

// elements are the columns of an element of a list.
func elements[E any](d *Hasher, columns func(*E, Columns)) []Value {
	var none E
	one := Hasher{form: d.form, listing: true}
	columns(&none, &one)
	d.newest = max(d.newest, one.newest)
	return one.values
}

// hashList writes a text for each column: those of the elements one after the other,
// each quoted.
func hashList[E any](d *Hasher, list []E, columns func(*E, Columns), none []Value) {
	rows := make([][]Value, len(list))
	for i := range list {
		rows[i] = values(d.form, &list[i], columns)
	}
	for c := range none {
		at := d.begin()
		for _, row := range rows {
			d.buffer = strconv.AppendQuote(d.buffer, row[c].Text)
		}
		d.end(none[c].Name, at)
	}
}

// From is as [Columns] says.
func (d *Hasher) From(form uint8) bool {
	d.newest = max(d.newest, form)
	return form <= d.form
}

// MonthHash gathers what one run issued for one month: code and hash of each
// invoice, in ascending order of the codes.
type MonthHash struct {
	Invoices int64
	hash     hash.Hash
	text     Hasher
}

// NewMonthHash is that of no invoice.
func NewMonthHash() *MonthHash { return &MonthHash{hash: sha256.New()} }

// Add adds an invoice.
func (m *MonthHash) Add(code string, h schemas.Digest) {
	m.Invoices++
	m.text.buffer = m.text.buffer[:0]
	m.text.Text("", &code)
	m.hash.Write(append(m.text.buffer, h[:]...))
}

// Sum is the hash of all that was added.
func (m *MonthHash) Sum() schemas.Digest { return schemas.Digest(m.hash.Sum(nil)) }
