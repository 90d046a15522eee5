package clickhouse

import (
	"encoding/binary"
	"math"

	"github.com/ClickHouse/ch-go/proto"
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

// resettable is a column to insert that is used again.
type resettable interface {
	proto.ColInput
	Reset()
}

// listInput is a column Array of what another column holds.
type listInput struct {
	values resettable
	ends   proto.ColUInt64
}

// end ends the list of a row.
func (c *listInput) end() { c.ends = append(c.ends, uint64(c.values.Rows())) } //nolint:gosec // never negative

// Type, Rows, EncodeColumn, WriteColumn and Reset are for the library.
func (c *listInput) Type() proto.ColumnType { return proto.ColumnTypeArray.Sub(c.values.Type()) }
func (c *listInput) Rows() int              { return len(c.ends) }

func (c *listInput) EncodeColumn(b *proto.Buffer) {
	c.ends.EncodeColumn(b)
	c.values.EncodeColumn(b)
}

func (c *listInput) WriteColumn(w *proto.Writer) {
	c.ends.WriteColumn(w)
	c.values.WriteColumn(w)
}

func (c *listInput) Reset() {
	c.values.Reset()
	c.ends = c.ends[:0]
}
