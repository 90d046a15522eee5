package fold

import (
	"fmt"
	"time"

	"github.com/shopspring/decimal"

	"github.com/reckon-billing/reckon/schemas"
)

// decode reads a state of any form; nothing is that of an unknown resource. Texts of the
// state are parts of the encoded one. [ErrAbsent] is of one that cannot be read or lacks
// what is needed.
func (s *state) decode(encoded string) error {
	if encoded == "" {
		return nil
	}
	d := stateDecoder{rest: encoded[1:]}
	switch encoded[0] {
	case fieldsForm:
		d.fields(s)
	case fixedForm:
		d.fixed(s)
	case '{':
		d.oldest(encoded, s)
	default:
		d.fail()
	}
	if d.failed || d.rest != "" || !s.known() {
		return fmt.Errorf("%w: %d bytes, of form %q", ErrAbsent, len(encoded), encoded[0])
	}
	return nil
}

// known tells whether the state and the one before are of phases that there are.
func (s *state) known() bool {
	switch s.Phase {
	case running, suspended, deleted:
		return s.Before == nil || s.Before.known()
	case unknown:
	}
	return false
}

// stateDecoder reads what stateEncoder wrote. After the first thing that is not as
// written, or that is missing, all else is nothing.
type stateDecoder struct {
	rest   string
	failed bool
}

func (d *stateDecoder) fail() {
	d.failed, d.rest = true, ""
}

// fields reads a state to the end. The needed fields are the lowest numbers and are
// written always, so that each comes next or is missing.
func (d *stateDecoder) fields(s *state) {
	s.Phase, s.Mode = phase(d.textField(phaseField)), schemas.Mode(d.textField(modeField))
	s.Name, s.Product, s.Service = d.textField(nameField), d.textField(productField), d.textField(serviceField)

	left := d.begin(itemsField)
	d.items(s)
	d.end(left)

	if left = d.begin(balanceField); len(d.rest) > left {
		s.Balance = d.balance()
	}
	d.end(left)

	left = d.begin(sinceField)
	s.Since = d.time()
	d.end(left)

	left = d.begin(openedField)
	d.event(&s.Opened)
	d.end(left)

	left = d.begin(levelsField)
	d.levels(s)
	d.end(left)

	if before := d.textField(beforeField); before != "" {
		s.Before = &state{}
		inner := stateDecoder{rest: before}
		if inner.fields(s.Before); inner.failed {
			d.fail()
		}
	}
	if d.rest != "" && d.rest[0] == leftOutField {
		s.LeftOut = true
		d.end(d.begin(leftOutField))
	}
	d.openedLog(s)
	d.foreign(s)
}

func (d *stateDecoder) openedLog(s *state) {
	if d.rest == "" || d.rest[0] != openedLogField {
		return
	}
	left := d.begin(openedLogField)
	s.Opened.Position.Log = int32(d.number()) //nolint:gosec // as it was written
	d.end(left)
}

// foreign passes over the fields that this program does not know.
func (d *stateDecoder) foreign(s *state) {
	for last := uint64(openedLogField); d.rest != ""; {
		number := d.length()
		d.text()
		if number <= last {
			d.fail()
			return
		}
		last, s.foreign = number, true
	}
}

// textField reads a field that is a text.
func (d *stateDecoder) textField(number byte) string {
	if d.rest == "" || d.rest[0] != number {
		d.fail()
		return ""
	}
	d.rest = d.rest[1:]
	return d.text()
}

// begin begins a field, and says how many bytes are left after it, for end to check.
func (d *stateDecoder) begin(number byte) (left int) {
	if d.rest == "" || d.rest[0] != number {
		d.fail()
		return 0
	}
	d.rest = d.rest[1:]
	n := d.length()
	if n > uint64(len(d.rest)) {
		d.fail()
		return 0
	}
	return len(d.rest) - int(n) //nolint:gosec // not more than there is
}

func (d *stateDecoder) end(left int) {
	if len(d.rest) != left {
		d.fail()
	}
}

func (d *stateDecoder) length() uint64 {
	var n uint64
	for shift := 0; shift < 64; shift += 7 {
		if len(d.rest) == 0 {
			break
		}
		b := d.rest[0]
		d.rest = d.rest[1:]
		n |= uint64(b&0x7f) << shift
		if b < 0x80 {
			return n
		}
	}
	d.fail()
	return 0
}

// text is that of a length and as many bytes. Nearly all are shorter than 128.
func (d *stateDecoder) text() string {
	if rest := d.rest; rest != "" && rest[0] < 0x80 && int(rest[0]) < len(rest) {
		n := int(rest[0]) + 1
		d.rest = rest[n:]
		return rest[1:n]
	}
	return d.longText()
}

func (d *stateDecoder) longText() string {
	n := d.length()
	if n > uint64(len(d.rest)) {
		d.fail()
		return ""
	}
	s := d.rest[:n]
	d.rest = d.rest[n:]
	return s
}

// number undoes [binary.AppendVarint].
func (d *stateDecoder) number() int64 {
	n := d.length()
	return int64(n>>1) ^ -int64(n&1) // its bits
}

// count is the number of things that follow, each of a byte at least.
func (d *stateDecoder) count() int {
	n := d.number()
	if n < 0 || n > int64(len(d.rest)) {
		d.fail()
		return 0
	}
	return int(n)
}

func (d *stateDecoder) time() time.Time { return time.UnixMilli(d.number()).UTC() }

func (d *stateDecoder) decimal() decimal.Decimal {
	v, ok := schemas.ReadDecimal(d.text())
	if !ok {
		d.fail()
	}
	return v
}

func (d *stateDecoder) items(s *state) {
	n := d.count()
	if n == 0 {
		return
	}
	s.Items = make([]schemas.Item, n)
	for i := range s.Items {
		d.item(&s.Items[i])
	}
}

func (d *stateDecoder) item(it *schemas.Item) {
	it.Name, it.Unit, it.Meter, it.Per = d.text(), d.text(), schemas.Meter(d.text()), schemas.Per(d.text())
	it.UnitPrice, it.Quantity = d.decimal(), d.decimal()
	it.DiscountPercent, it.TaxPercent, it.FreeQuantity = d.decimal(), d.decimal(), d.decimal()
}

func (d *stateDecoder) balance() *couponBalance {
	return &couponBalance{Code: d.text(), Value: d.decimal(), Source: d.text(), ID: d.text()}
}

func (d *stateDecoder) event(r *schemas.EventRef) {
	r.Source, r.ID, r.Type, r.Time = d.text(), d.text(), schemas.Type(d.text()), d.time()
	r.Position = schemas.Position{Topic: d.text(), Partition: int32(d.number()), Offset: d.number()} //nolint:gosec // as it was written
}

func (d *stateDecoder) levels(s *state) {
	n := d.count()
	if n == 0 {
		return
	}
	s.Levels = make(map[string]decimal.Decimal, n)
	for range n {
		item := d.text()
		s.Levels[item] = d.decimal()
	}
}
