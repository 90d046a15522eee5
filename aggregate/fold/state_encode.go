package fold

import (
	"encoding/binary"
	"maps"
	"slices"
	"time"

	"github.com/shopspring/decimal"

	"github.com/reckon-billing/reckon/schemas"
)

// The first byte of an encoded state is its form: '{' of the oldest, which is JSON;
// fixedForm; or fieldsForm, in which states are written. After that come fields by
// number ascending: the number, the length and that many bytes. Inside them are texts
// with their length before them, decimals as canonical text, times in milliseconds, and
// lists with their number before them.
//
// A new thing to remember is a new number, never a new form. A number that the reader
// does not know is skipped, and gone when the state is written next: whoever does know it
// then finds it missing. A snapshot without a field that is needed counts as absent.
//
// Every resource that lives is decoded at each month-end: as JSON that took as
// long as all else that is done for one without events, and three times the room.
const (
	fixedForm  = 1
	fieldsForm = 2
)

// The numbers of the fields. Each up to beforeField is written always, if only with
// length 0, so that what is none differs from what is missing; without one of them a
// snapshot counts as absent. A field that is needed from now on goes after the last, and the older forms
// are then absent too: they lack it. One that can be missing goes after those.
const (
	phaseField = 1 + iota
	modeField
	nameField
	productField
	serviceField
	itemsField
	balanceField
	sinceField
	openedField
	levelsField
	beforeField
	// leftOutField is there, with length 0, where levels were left out.
	leftOutField
	// openedLogField is the log of opened's position; missing of the first log.
	openedLogField
)

// encode writes the state: equal states have equal bytes.
func (s *state) encode() string {
	e := stateEncoder{}
	e.bytes = append(e.room[:0], fieldsForm)
	e.state(s)
	return string(e.bytes)
}

// stateEncoder writes states.
type stateEncoder struct {
	bytes []byte
	room  [1024]byte
}

// text writes the length and the bytes. Nearly all are shorter than 128.
func (e *stateEncoder) text(s string) {
	if len(s) < 0x80 {
		e.bytes = append(append(e.bytes, byte(len(s))), s...) //nolint:gosec // less than that
		return
	}
	e.bytes = append(binary.AppendUvarint(e.bytes, uint64(len(s))), s...)
}

func (e *stateEncoder) number(n int64)   { e.bytes = binary.AppendVarint(e.bytes, n) }
func (e *stateEncoder) time(t time.Time) { e.number(t.UnixMilli()) }

func (e *stateEncoder) decimal(d decimal.Decimal) {
	e.bytes = append(e.bytes, 0)
	begun := len(e.bytes)
	e.bytes = schemas.AppendDecimal(e.bytes, d)
	e.end(begun)
}

// textField writes a field that is a text.
func (e *stateEncoder) textField(number byte, s string) {
	e.bytes = append(e.bytes, number)
	e.text(s)
}

// begin begins a field, and says where, for end to write its length.
func (e *stateEncoder) begin(number byte) int {
	e.bytes = append(e.bytes, number, 0)
	return len(e.bytes)
}

func (e *stateEncoder) end(begun int) {
	n := len(e.bytes) - begun
	if n < 0x80 {
		e.bytes[begun-1] = byte(n) //nolint:gosec // less than that
		return
	}
	// The length takes more than the byte that was left for it.
	var length [binary.MaxVarintLen64]byte
	more := binary.PutUvarint(length[:], uint64(n)) - 1
	e.bytes = append(e.bytes, length[:more]...)
	copy(e.bytes[begun+more:], e.bytes[begun:begun+n])
	copy(e.bytes[begun-1:], length[:more+1])
}

func (e *stateEncoder) state(s *state) {
	e.textField(phaseField, string(s.Phase))
	e.textField(modeField, string(s.Mode))
	e.textField(nameField, s.Name)
	e.textField(productField, s.Product)
	e.textField(serviceField, s.Service)

	items := e.begin(itemsField)
	e.number(int64(len(s.Items)))
	for i := range s.Items {
		e.item(&s.Items[i])
	}
	e.end(items)

	balance := e.begin(balanceField)
	if b := s.Balance; b != nil {
		e.text(b.Code)
		e.decimal(b.Value)
		e.text(b.Source)
		e.text(b.ID)
	}
	e.end(balance)

	since := e.begin(sinceField)
	e.time(s.Since)
	e.end(since)

	opened := e.begin(openedField)
	e.event(&s.Opened)
	e.end(opened)

	levels := e.begin(levelsField)
	e.levels(s.Levels)
	e.end(levels)

	before := e.begin(beforeField)
	if s.Before != nil {
		e.state(s.Before)
	}
	e.end(before)

	if s.LeftOut {
		e.textField(leftOutField, "")
	}
	if log := s.Opened.Position.Log; log != 0 {
		opened := e.begin(openedLogField)
		e.number(int64(log))
		e.end(opened)
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

func (e *stateEncoder) levels(levels map[string]decimal.Decimal) {
	e.number(int64(len(levels)))
	for _, item := range slices.Sorted(maps.Keys(levels)) {
		e.text(item)
		e.decimal(levels[item])
	}
}
