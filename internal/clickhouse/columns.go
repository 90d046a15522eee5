package clickhouse

import (
	"encoding/binary"
	"fmt"
	"math/big"
	"slices"

	"github.com/ClickHouse/ch-go/proto"
	"github.com/shopspring/decimal"
)

// column is a column of a query: what it must be called, what type it must have,
// and what it is read into.
type column struct {
	name, kind string
	data       interface {
		Reset()
		DecodeColumn(r *proto.Reader, rows int) error
	}
}

// columns is a block that is read into columns. Nothing but the columns that are
// asked for is taken.
type columns []column

// DecodeResult reads a block. The library's own way of reading one takes a column in
// a serialization that it does not know for an empty one.
func (c columns) DecodeResult(r *proto.Reader, version int, b proto.Block) error {
	if b.Columns != len(c) {
		return fmt.Errorf("%d columns, want %d", b.Columns, len(c))
	}
	for i := range c {
		if err := c[i].decode(r, version, b.Rows); err != nil {
			return fmt.Errorf("column %d, %s: %w", i, c[i].name, err)
		}
	}
	return nil
}

// rowBlock is a block of columns that knows how many rows it has.
type rowBlock struct {
	columns
	rows int
}

// DecodeResult is called by the library for each block.
func (b *rowBlock) DecodeResult(r *proto.Reader, version int, block proto.Block) error {
	b.rows = block.Rows
	return b.columns.DecodeResult(r, version, block)
}

func (c *column) decode(r *proto.Reader, version, rows int) error {
	name, err := r.Str()
	if err != nil {
		return err
	}
	kind, err := r.Str()
	if err != nil {
		return err
	}
	if name != c.name || kind != c.kind {
		return fmt.Errorf("got %s of type %s, want %s", name, kind, c.kind)
	}
	if proto.FeatureCustomSerialization.In(version) {
		custom, err := r.Bool()
		if err != nil {
			return err
		}
		if custom {
			return fmt.Errorf("a serialization that this program does not read")
		}
	}
	c.data.Reset()
	if rows == 0 {
		return nil
	}
	if s, ok := c.data.(proto.StateDecoder); ok {
		if err := s.DecodeState(r); err != nil {
			return err
		}
	}
	return c.data.DecodeColumn(r, rows)
}

// texts is a column String.
type texts struct {
	bytes []byte
	// ends holds where each value ends in bytes.
	ends   []int
	unread []byte
}

// maxText bounds what one value may have, against a stream out of step.
const maxText = 1 << 30

// Reset empties the column and keeps its memory.
func (c *texts) Reset() { c.bytes, c.ends = c.bytes[:0], c.ends[:0] }

// DecodeColumn reads what is there at least: each value that is still to come has
// a byte for its length. So a column takes some dozens of reads, of which each
// costs more than a value.
func (c *texts) DecodeColumn(r *proto.Reader, rows int) error {
	c.ends = slices.Grow(c.ends, rows)
	// What is read and not yet taken: in unread from at on.
	unread, at := c.unread[:0], 0
	fill := func(n int) error {
		unread = append(unread[:0], unread[at:]...)
		have := len(unread)
		unread, at = slices.Grow(unread, n)[:have+n], 0
		return r.ReadFull(unread[have:])
	}
	for left := rows; left > 0; left-- {
		if at == len(unread) {
			if err := fill(left); err != nil {
				return err
			}
		}
		length, size := binary.Uvarint(unread[at:])
		for ; size == 0; length, size = binary.Uvarint(unread[at:]) {
			if err := fill(left); err != nil { // the rest of it is there, or of the next one's
				return err
			}
		}
		if size < 0 || length > maxText {
			return fmt.Errorf("a text of %d bytes", length)
		}
		at += size
		// What is missing of the value, and a byte for each one after it.
		if missing := int(length) - (len(unread) - at); missing > 0 { // bounded above
			if err := fill(missing + left - 1); err != nil {
				return err
			}
		}
		c.bytes = append(c.bytes, unread[at:at+int(length)]...)
		at += int(length)
		c.ends = append(c.ends, len(c.bytes))
	}
	c.unread = unread
	return nil
}

// start is where value i begins in bytes.
func (c *texts) start(i int) int {
	if i == 0 {
		return 0
	}
	return c.ends[i-1]
}

// at is value i; its memory is the column's.
func (c *texts) at(i int) []byte { return c.bytes[c.start(i):c.ends[i]] }

// like is value i as a string, the one given if that is equal: a string is only
// made where a sorted column changes.
func (c *texts) like(previous string, i int) string {
	if b := c.at(i); string(b) != previous {
		return string(b)
	}
	return previous
}

// words is a column LowCardinality(String): a dictionary and, for each row, a place
// in it.
type words struct {
	raw   proto.ColLowCardinalityRaw
	index proto.ColStr
	list  []string
}

// Reset empties the column; the words are kept as long as they stay the same.
func (c *words) Reset() {
	c.raw.Index = &c.index
	c.index.Reset()
	c.raw.Keys8, c.raw.Keys16, c.raw.Keys32, c.raw.Keys64 = c.raw.Keys8[:0], c.raw.Keys16[:0], c.raw.Keys32[:0], c.raw.Keys64[:0]
}

// DecodeState reads what comes before the column.
func (c *words) DecodeState(r *proto.Reader) error { return c.raw.DecodeState(r) }

// DecodeColumn reads the dictionary and the places.
func (c *words) DecodeColumn(r *proto.Reader, rows int) error {
	if err := c.raw.DecodeColumn(r, rows); err != nil {
		return err
	}
	for i := range c.index.Rows() {
		word := c.index.RowBytes(i)
		switch {
		case i == len(c.list):
			c.list = append(c.list, string(word))
		case c.list[i] != string(word):
			c.list[i] = string(word)
		}
	}
	highest := 0
	switch c.raw.Key {
	case proto.KeyUInt8:
		highest = int(slices.Max(c.raw.Keys8))
	case proto.KeyUInt16:
		highest = int(slices.Max(c.raw.Keys16))
	case proto.KeyUInt32:
		highest = int(slices.Max(c.raw.Keys32))
	case proto.KeyUInt64:
		return fmt.Errorf("a dictionary of more than 2^32 words")
	}
	if highest >= c.index.Rows() {
		return fmt.Errorf("word %d of a dictionary of %d", highest, c.index.Rows())
	}
	return nil
}

func (c *words) at(i int) string {
	switch c.raw.Key {
	case proto.KeyUInt8:
		return c.list[c.raw.Keys8[i]]
	case proto.KeyUInt16:
		return c.list[c.raw.Keys16[i]]
	case proto.KeyUInt32, proto.KeyUInt64: // the latter was refused while reading
	}
	return c.list[c.raw.Keys32[i]]
}

// repeats is the row after the last, up to limit, that has the word of row i and
// nothing else in between.
func (c *words) repeats(i, limit int) int {
	switch c.raw.Key {
	case proto.KeyUInt8:
		return repeats(c.raw.Keys8, i, limit)
	case proto.KeyUInt16:
		return repeats(c.raw.Keys16, i, limit)
	case proto.KeyUInt32, proto.KeyUInt64: // the latter was refused while reading
	}
	return repeats(c.raw.Keys32, i, limit)
}

func repeats[K comparable](keys []K, i, limit int) int {
	limit = min(limit, len(keys))
	key := keys[i]
	for i < limit && keys[i] == key {
		i++
	}
	return i
}

// decimal128 is a value of a column Decimal(38, places). The exponent is always
// the column's, so that sums of values need no rescaling.
func decimal128(v proto.Decimal128, places int32) decimal.Decimal {
	if int64(v.High) == int64(v.Low)>>63 { //nolint:gosec // the sign of a value of 64 bits
		return decimal.New(int64(v.Low), -places) //nolint:gosec // its bits
	}
	var b [16]byte
	binary.BigEndian.PutUint64(b[:], v.High)
	binary.BigEndian.PutUint64(b[8:], v.Low)
	return decimal.NewFromBigInt(signed(b[:]), -places)
}

// signed is a number in two's complement, the highest byte first.
func signed(b []byte) *big.Int {
	n := new(big.Int).SetBytes(b)
	if b[0] >= 0x80 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b)))) // 128 or 256
	}
	return n
}
