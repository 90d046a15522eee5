package clickhouse

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/big"

	"github.com/ClickHouse/ch-go/proto"
	"github.com/shopspring/decimal"

	"github.com/reckon-billing/reckon/schemas"
)

// textInput is a column String to insert, kept in the form that is sent: a value
// is copied once.
type textInput struct {
	bytes []byte
	rows  int
}

func (c *textInput) add(s string) {
	c.bytes = append(binary.AppendUvarint(c.bytes, uint64(len(s))), s...)
	c.rows++
}

func (c *textInput) addBytes(b []byte) {
	c.bytes = append(binary.AppendUvarint(c.bytes, uint64(len(b))), b...)
	c.rows++
}

// Type, Rows, EncodeColumn, WriteColumn and Reset are for the library.
func (c *textInput) Type() proto.ColumnType       { return proto.ColumnTypeString }
func (c *textInput) Rows() int                    { return c.rows }
func (c *textInput) EncodeColumn(b *proto.Buffer) { b.PutRaw(c.bytes) }
func (c *textInput) WriteColumn(w *proto.Writer)  { w.ChainWrite(c.bytes) }
func (c *textInput) Reset()                       { c.bytes, c.rows = c.bytes[:0], 0 }

// wordInput is a column LowCardinality(String) to insert. Words mostly repeat the
// one before.
type wordInput struct {
	places map[string]uint32
	words  textInput
	keys   []uint32
	last   string
	place  uint32
	sent   []byte
}

func (c *wordInput) add(word string) {
	if len(c.keys) == 0 || word != c.last {
		place, known := c.places[word]
		if !known {
			place = uint32(len(c.places)) //nolint:gosec // of a batch
			c.places[word] = place
			c.words.add(word)
		}
		c.last, c.place = word, place
	}
	c.keys = append(c.keys, c.place)
}

// Type, Rows, EncodeState, Prepare, EncodeColumn, WriteColumn and Reset are for the
// library.
func (c *wordInput) Type() proto.ColumnType {
	return proto.ColumnTypeLowCardinality.Sub(proto.ColumnTypeString)
}

func (c *wordInput) Rows() int                    { return len(c.keys) }
func (c *wordInput) EncodeState(b *proto.Buffer)  { b.PutInt64(1) } // the version
func (c *wordInput) EncodeColumn(b *proto.Buffer) { b.PutRaw(c.sent) }
func (c *wordInput) WriteColumn(w *proto.Writer)  { w.ChainWrite(c.sent) }

func (c *wordInput) Reset() {
	if c.places == nil {
		c.places = map[string]uint32{}
	}
	clear(c.places)
	c.words.Reset()
	c.keys, c.last, c.sent = c.keys[:0], "", c.sent[:0]
}

// Prepare writes the dictionary and the places, as narrow as they can be.
func (c *wordInput) Prepare() error {
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
			b = append(b, byte(place))
		case proto.KeyUInt16:
			b = binary.LittleEndian.AppendUint16(b, uint16(place)) //nolint:gosec // fewer words than that
		default:
			b = binary.LittleEndian.AppendUint32(b, place)
		}
	}
	c.sent = b
	return nil
}

// textListInput is a column Array(String) to insert.
type textListInput struct {
	texts textInput
	ends  proto.ColUInt64
}

// end ends the list of a row.
func (c *textListInput) end() { c.ends = append(c.ends, uint64(c.texts.rows)) } //nolint:gosec // never negative

// Type, Rows, EncodeColumn, WriteColumn and Reset are for the library.
func (c *textListInput) Type() proto.ColumnType {
	return proto.ColumnTypeArray.Sub(proto.ColumnTypeString)
}

func (c *textListInput) Rows() int { return len(c.ends) }

func (c *textListInput) EncodeColumn(b *proto.Buffer) {
	c.ends.EncodeColumn(b)
	c.texts.EncodeColumn(b)
}

func (c *textListInput) WriteColumn(w *proto.Writer) {
	c.ends.WriteColumn(w)
	c.texts.WriteColumn(w)
}

func (c *textListInput) Reset() {
	c.texts.Reset()
	c.ends = c.ends[:0]
}

// headerInput are the headers of each message, keys and values apart.
type headerInput struct{ keys, values textListInput }

func (c *headerInput) add(headers []schemas.Header) {
	for _, h := range headers {
		c.keys.texts.add(h.Key)
		c.values.texts.addBytes(h.Value)
	}
	c.keys.end()
	c.values.end()
}

// quantityInput is a column Decimal(38, 9) to insert, which refuses what it cannot
// hold exactly.
type quantityInput struct {
	proto.ColDecimal128
	name string
}

// Type is for the library.
func (c *quantityInput) Type() proto.ColumnType { return "Decimal(38, 9)" }

func (c *quantityInput) add(v decimal.Decimal) error {
	const digits, places = 38, 9
	if v.IsZero() {
		c.ColDecimal128 = append(c.ColDecimal128, proto.Decimal128{})
		return nil
	}
	shift := v.Exponent() + places
	if shift >= 0 && int(shift)+v.NumDigits() <= 18 {
		n := v.CoefficientInt64()
		for range shift {
			n *= 10
		}
		c.ColDecimal128 = append(c.ColDecimal128, proto.Decimal128{Low: uint64(n), High: uint64(n >> 63)}) //nolint:gosec // its bits
		return nil
	}
	if err := fits(c.name, v, digits, places); err != nil {
		return err
	}
	n := v.Shift(places).BigInt()
	if n.Sign() < 0 {
		n.Add(n, new(big.Int).Lsh(big.NewInt(1), 128))
	}
	var b [16]byte
	n.FillBytes(b[:])
	c.ColDecimal128 = append(c.ColDecimal128, proto.Decimal128{
		High: binary.BigEndian.Uint64(b[:8]), Low: binary.BigEndian.Uint64(b[8:]),
	})
	return nil
}

// fits refuses a number that a column Decimal(digits, places) does not hold
// exactly: the libraries cut surplus places and the server does not check digits.
func fits(name string, v decimal.Decimal, digits, places int32) error {
	exponent := v.Exponent()
	switch {
	case exponent < -places && !v.Equal(v.Truncate(places)):
		return fmt.Errorf("%s %s: more than %d decimals", name, v, places)
	// NumDigits counts a zero as one digit.
	case !v.IsZero() && int32(v.NumDigits())+exponent > digits-places: //nolint:gosec // a number of digits
		return fmt.Errorf("%s %s: more than %d digits before the point", name, v, digits-places)
	}
	return nil
}
