package aggregate

import (
	"encoding/binary"
	"maps"
	"slices"
	"time"

	"github.com/shopspring/decimal"

	"github.com/reckon-billing/reckon/schemas"
)

// stateForm is the first byte of an encoded state, which tells it from the JSON of
// older edges. What follows are the fields in order: texts with their length
// before them, decimals as canonical text, times in milliseconds, lists with
// their number before them, what may be missing after a 0 or a 1.
//
// Every resource that lives is decoded at each month-end: as JSON that took as
// long as all else that is done for one without events, and three times the room.
const stateForm = 1

// stateEncoder writes states.
type stateEncoder struct {
	bytes []byte
	room  [1024]byte
}

func (e *stateEncoder) text(s string) {
	e.bytes = append(binary.AppendUvarint(e.bytes, uint64(len(s))), s...)
}

func (e *stateEncoder) number(n int64)            { e.bytes = binary.AppendVarint(e.bytes, n) }
func (e *stateEncoder) time(t time.Time)          { e.number(t.UnixMilli()) }
func (e *stateEncoder) decimal(d decimal.Decimal) { e.text(schemas.FormatDecimal(d)) }

func (e *stateEncoder) present(is bool) bool {
	if is {
		e.number(1)
	} else {
		e.number(0)
	}
	return is
}

func (e *stateEncoder) state(s *state) {
	for _, text := range [...]string{string(s.Phase), string(s.Mode), s.Name, s.Product, s.Service} {
		e.text(text)
	}
	e.number(int64(len(s.Items)))
	for i := range s.Items {
		e.item(&s.Items[i])
	}
	if b := s.Balance; e.present(b != nil) {
		e.text(b.Code)
		e.decimal(b.Value)
		e.text(b.Source)
		e.text(b.ID)
	}
	e.time(s.Since)
	e.event(&s.Opened)
	e.number(int64(len(s.Levels)))
	for _, item := range slices.Sorted(maps.Keys(s.Levels)) {
		e.text(item)
		e.decimal(s.Levels[item])
	}
	if e.present(s.Before != nil) {
		e.state(s.Before)
	}
}

func (e *stateEncoder) item(it *schemas.Item) {
	e.text(it.Name)
	e.text(it.Unit)
	e.text(string(it.Meter))
	e.text(string(it.Per))
	e.decimal(it.UnitPrice)
	e.decimal(it.Quantity)
	e.decimal(it.DiscountPercent)
	e.decimal(it.TaxPercent)
	e.decimal(it.FreeQuantity)
}

func (e *stateEncoder) event(r *schemas.EventRef) {
	e.text(r.Source)
	e.text(r.ID)
	e.text(string(r.Type))
	e.time(r.Time)
	e.text(r.Position.Topic)
	e.number(int64(r.Position.Partition))
	e.number(r.Position.Offset)
}

// stateDecoder reads what stateEncoder wrote. Its texts are parts of the encoded
// one. After the first thing that is not as written, all else is nothing.
type stateDecoder struct {
	rest   string
	failed bool
}

func (d *stateDecoder) fail() {
	d.failed, d.rest = true, ""
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

func (d *stateDecoder) text() string {
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

func (d *stateDecoder) state(s *state) {
	s.Phase, s.Mode = phase(d.text()), schemas.Mode(d.text())
	s.Name, s.Product, s.Service = d.text(), d.text(), d.text()
	if n := d.count(); n > 0 {
		s.Items = make([]schemas.Item, n)
		for i := range s.Items {
			d.item(&s.Items[i])
		}
	}
	if d.present() {
		s.Balance = &balance{Code: d.text(), Value: d.decimal(), Source: d.text(), ID: d.text()}
	}
	s.Since = d.time()
	d.event(&s.Opened)
	if n := d.count(); n > 0 {
		s.Levels = make(map[string]decimal.Decimal, n)
		for range n {
			item := d.text()
			s.Levels[item] = d.decimal()
		}
	}
	if d.present() {
		s.Before = &state{}
		d.state(s.Before)
	}
}

func (d *stateDecoder) present() bool {
	n := d.number()
	if n != 0 && n != 1 {
		d.fail()
	}
	return n == 1
}

func (d *stateDecoder) item(it *schemas.Item) {
	it.Name, it.Unit, it.Meter, it.Per = d.text(), d.text(), schemas.Meter(d.text()), schemas.Per(d.text())
	it.UnitPrice, it.Quantity = d.decimal(), d.decimal()
	it.DiscountPercent, it.TaxPercent, it.FreeQuantity = d.decimal(), d.decimal(), d.decimal()
}

func (d *stateDecoder) event(r *schemas.EventRef) {
	r.Source, r.ID, r.Type, r.Time = d.text(), d.text(), schemas.Type(d.text()), d.time()
	r.Position = schemas.Position{Topic: d.text(), Partition: int32(d.number()), Offset: d.number()} //nolint:gosec // as it was written
}
