package column

import (
	"encoding/binary"
	"math"
	"strings"
	"time"

	"github.com/ClickHouse/ch-go/proto"
)

// Columns of a fixed width are the library's own, to read and to insert: slices.
type (
	// Int32s is a column Int32.
	Int32s = proto.ColInt32
	// Int64s is a column Int64; for DateTime64 see [Millis].
	Int64s = proto.ColInt64
	// UInt8s is a column UInt8.
	UInt8s = proto.ColUInt8
	// UInt32s is a column UInt32.
	UInt32s = proto.ColUInt32
	// UInt64s is a column UInt64.
	UInt64s = proto.ColUInt64
	// Bools is a column Bool.
	Bools = proto.ColBool
	// FixedStrings is a column FixedString of its Size.
	FixedStrings = proto.ColFixedStr
	// FixedStrings16 is a column FixedString(16).
	FixedStrings16 = proto.ColFixedStr16
	// Decimal128s is a column Decimal(38, …) to read; see [DecimalOf128].
	Decimal128s = proto.ColDecimal128
	// Decimal256s is a column Decimal(76, …) to read; see [DecimalOf256].
	Decimal256s = proto.ColDecimal256
)

// Input is a block to insert: what each column is called, and what is in it.
type Input = proto.Input

// InputColumn is a column of an [Input].
type InputColumn = proto.InputColumn

// Millis makes a column DateTime64(3) of milliseconds to insert: they are the same
// bytes.
func Millis(ms *Int64s) Resettable { return millis{ms} }

type millis struct{ *proto.ColInt64 }

// Type is for the library.
func (millis) Type() proto.ColumnType { return "DateTime64(3, 'UTC')" }

// StringInput is a column String to insert, kept in the form that is sent: a value
// is copied once.
type StringInput struct {
	bytes []byte
	rows  int
}

// Add adds a value.
func (c *StringInput) Add(s string) {
	c.bytes = append(binary.AppendUvarint(c.bytes, uint64(len(s))), s...)
	c.rows++
}

// AddBytes adds a value.
func (c *StringInput) AddBytes(b []byte) {
	c.bytes = append(binary.AppendUvarint(c.bytes, uint64(len(b))), b...)
	c.rows++
}

// Type is for the library.
func (c *StringInput) Type() proto.ColumnType { return proto.ColumnTypeString }

// Rows is for the library.
func (c *StringInput) Rows() int { return c.rows }

// EncodeColumn is for the library.
func (c *StringInput) EncodeColumn(b *proto.Buffer) { b.PutRaw(c.bytes) }

// WriteColumn is for the library.
func (c *StringInput) WriteColumn(w *proto.Writer) { w.ChainWrite(c.bytes) }

// Reset is for the library.
func (c *StringInput) Reset() { c.bytes, c.rows = c.bytes[:0], 0 }

// LowCardinalityInput is a column LowCardinality(String) to insert: each word once,
// and of each row its place among them. Words mostly repeat the one before.
type LowCardinalityInput struct {
	places map[string]uint32
	words  StringInput
	keys   []uint32
	last   string
	place  uint32
	sent   []byte
}

// Add adds a word.
func (c *LowCardinalityInput) Add(word string) {
	if len(c.keys) == 0 || word != c.last {
		place, known := c.places[word]
		if !known {
			place = uint32(len(c.places)) //nolint:gosec // of a batch
			c.places[word] = place
			c.words.Add(word)
		}
		c.last, c.place = word, place
	}
	c.keys = append(c.keys, c.place)
}

// Type is for the library.
func (c *LowCardinalityInput) Type() proto.ColumnType {
	return proto.ColumnTypeLowCardinality.Sub(proto.ColumnTypeString)
}

// Rows is for the library.
func (c *LowCardinalityInput) Rows() int { return len(c.keys) }

// EncodeState is for the library.
func (c *LowCardinalityInput) EncodeState(b *proto.Buffer) { b.PutInt64(1) } // the version

// EncodeColumn is for the library.
func (c *LowCardinalityInput) EncodeColumn(b *proto.Buffer) { b.PutRaw(c.sent) }

// WriteColumn is for the library.
func (c *LowCardinalityInput) WriteColumn(w *proto.Writer) { w.ChainWrite(c.sent) }

// Reset is for the library.
func (c *LowCardinalityInput) Reset() {
	if c.places == nil {
		c.places = map[string]uint32{}
	}
	clear(c.places)
	c.words.Reset()
	c.keys, c.last, c.sent = c.keys[:0], "", c.sent[:0]
}

// Prepare writes the dictionary and the places, as narrow as they can be.
func (c *LowCardinalityInput) Prepare() error {
	const additionalKeys, updateDictionary = 1 << 9, 1 << 10
	key := proto.KeyUInt32
	switch n := len(c.places); {
	case n <= math.MaxUint8+1:
		key = proto.KeyUInt8
	case n <= math.MaxUint16+1:
		key = proto.KeyUInt16
	}
	b := binary.LittleEndian.AppendUint64(c.sent[:0], uint64(key)|additionalKeys|updateDictionary)
	b = binary.LittleEndian.AppendUint64(b, uint64(c.words.rows)) //nolint:gosec // never negative
	b = append(b, c.words.bytes...)
	b = binary.LittleEndian.AppendUint64(b, uint64(len(c.keys)))
	for _, place := range c.keys {
		switch key {
		case proto.KeyUInt8:
			b = append(b, byte(place)) //nolint:gosec // fewer words than that
		case proto.KeyUInt16:
			b = binary.LittleEndian.AppendUint16(b, uint16(place)) //nolint:gosec // fewer words than that
		default:
			b = binary.LittleEndian.AppendUint32(b, place)
		}
	}
	c.sent = b
	return nil
}

// Resettable is a column to insert that is used again: a type of this package.
type Resettable interface {
	proto.ColInput
	Reset()
}

// ArrayInput is a column Array to insert, of what another column holds.
type ArrayInput struct {
	Values Resettable
	ends   proto.ColUInt64
}

// End ends the list of a row: its values were added to Values.
func (c *ArrayInput) End() { c.ends = append(c.ends, uint64(c.Values.Rows())) } //nolint:gosec // never negative

// Type is for the library.
func (c *ArrayInput) Type() proto.ColumnType { return proto.ColumnTypeArray.Sub(c.Values.Type()) }

// Rows is for the library.
func (c *ArrayInput) Rows() int { return len(c.ends) }

// EncodeColumn is for the library.
func (c *ArrayInput) EncodeColumn(b *proto.Buffer) {
	c.ends.EncodeColumn(b)
	c.Values.EncodeColumn(b)
}

// WriteColumn is for the library.
func (c *ArrayInput) WriteColumn(w *proto.Writer) {
	c.ends.WriteColumn(w)
	c.Values.WriteColumn(w)
}

// Reset is for the library.
func (c *ArrayInput) Reset() {
	c.Values.Reset()
	c.ends = c.ends[:0]
}

// TupleInput is a column Tuple to insert, of what other columns hold.
type TupleInput []InputColumn

// Type is for the library.
func (c TupleInput) Type() proto.ColumnType {
	var kinds []string
	for _, element := range c {
		kinds = append(kinds, element.Name+" "+element.Data.Type().String())
	}
	return proto.ColumnTypeTuple.Sub(proto.ColumnType(strings.Join(kinds, ", ")))
}

// Rows is for the library.
func (c TupleInput) Rows() int { return c[0].Data.Rows() }

// EncodeColumn is for the library.
func (c TupleInput) EncodeColumn(b *proto.Buffer) {
	for _, element := range c {
		element.Data.EncodeColumn(b)
	}
}

// WriteColumn is for the library.
func (c TupleInput) WriteColumn(w *proto.Writer) {
	for _, element := range c {
		element.Data.WriteColumn(w)
	}
}

// Reset is for the library.
func (c TupleInput) Reset() {
	input := Input(c)
	input.Reset()
}

// StringsOf is a column of the values.
func StringsOf(values ...string) *StringInput {
	c := &StringInput{}
	for _, value := range values {
		c.Add(value)
	}
	return c
}

// MillisOf is a column DateTime64(3) of the times.
func MillisOf(times ...time.Time) Resettable {
	ms := make(Int64s, len(times))
	for i, at := range times {
		ms[i] = at.UnixMilli()
	}
	return Millis(&ms)
}

// ListOf is a column Array of one row, which has all the values.
func ListOf(values Resettable) *ArrayInput {
	c := &ArrayInput{Values: values}
	c.End()
	return c
}
