package column

import (
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/ClickHouse/ch-go/proto"
)

// Block is a set of columns that the blocks of a query are decoded into, one after
// the other. Nothing but the columns that are asked for is taken.
type Block struct {
	// Rows is how many rows the block has that was decoded last.
	Rows int
	// Decoded, where it is set, is called after each block, by the goroutine that
	// decodes while another reads the block before.
	Decoded func()

	columns []readColumn
}

// readColumn is a column of a query: what it must be called, what type it must
// have, and what it is read into.
type readColumn struct {
	name, kind string
	data       Decoder
}

// Decoder is what a column is read into: a type of this package.
type Decoder interface {
	Reset()
	DecodeColumn(r *proto.Reader, rows int) error
}

// Column adds a column of a query to the block, in the order that the query names
// them.
func (b *Block) Column(name, kind string, data Decoder) {
	b.columns = append(b.columns, readColumn{name, kind, data})
}

// DecodeResult is for the library, whose own way of reading a block takes a column in
// a serialization that it does not know for an empty one.
func (b *Block) DecodeResult(r *proto.Reader, version int, block proto.Block) error {
	b.Rows = block.Rows
	if block.Columns != len(b.columns) {
		return fmt.Errorf("%d columns, want %d", block.Columns, len(b.columns))
	}
	for i := range b.columns {
		if err := b.columns[i].decode(r, version, b.Rows); err != nil {
			return fmt.Errorf("column %d, %s: %w", i, b.columns[i].name, err)
		}
	}
	if b.Decoded != nil {
		b.Decoded()
	}
	return nil
}

func (c *readColumn) decode(r *proto.Reader, version, rows int) error {
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

// Strings is a column String to read.
type Strings struct {
	bytes []byte
	// ends holds where each value ends in bytes.
	ends   []int
	unread []byte
}

// maxText bounds what one value may have, against a stream out of step.
const maxText = 1 << 30

// Reset empties the column and keeps its memory.
func (c *Strings) Reset() { c.bytes, c.ends = c.bytes[:0], c.ends[:0] }

// DecodeColumn reads what is there at least: each value that is still to come has
// a byte for its length. So a column takes some dozens of reads, of which each
// costs more than a value.
func (c *Strings) DecodeColumn(r *proto.Reader, rows int) error {
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
func (c *Strings) start(i int) int {
	if i == 0 {
		return 0
	}
	return c.ends[i-1]
}

// At is value i; its memory is the column's.
func (c *Strings) At(i int) []byte { return c.bytes[c.start(i):c.ends[i]] }

// Like is value i as a string, the one given if that is equal: a string is only
// made where a sorted column changes.
func (c *Strings) Like(previous string, i int) string {
	if b := c.At(i); string(b) != previous {
		return string(b)
	}
	return previous
}

// LowCardinality is a column LowCardinality(String) to read: a dictionary and, for
// each row, a place in it.
type LowCardinality struct {
	raw   proto.ColLowCardinalityRaw
	index proto.ColStr
	list  []string
}

// Reset empties the column; the words are kept as long as they stay the same.
func (c *LowCardinality) Reset() {
	c.raw.Index = &c.index
	c.index.Reset()
	c.raw.Keys8, c.raw.Keys16, c.raw.Keys32, c.raw.Keys64 = c.raw.Keys8[:0], c.raw.Keys16[:0], c.raw.Keys32[:0], c.raw.Keys64[:0]
}

// DecodeState reads what comes before the column.
func (c *LowCardinality) DecodeState(r *proto.Reader) error { return c.raw.DecodeState(r) }

// DecodeColumn reads the dictionary and the places.
func (c *LowCardinality) DecodeColumn(r *proto.Reader, rows int) error {
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

// At is the word of row i.
func (c *LowCardinality) At(i int) string {
	switch c.raw.Key {
	case proto.KeyUInt8:
		return c.list[c.raw.Keys8[i]]
	case proto.KeyUInt16:
		return c.list[c.raw.Keys16[i]]
	case proto.KeyUInt32, proto.KeyUInt64: // the latter was refused while reading
	}
	return c.list[c.raw.Keys32[i]]
}

// Repeats is the row after the last, up to limit, that has the word of row i and
// nothing else in between.
func (c *LowCardinality) Repeats(i, limit int) int {
	switch c.raw.Key {
	case proto.KeyUInt8:
		return repeats(c.raw.Keys8, i, limit)
	case proto.KeyUInt16:
		return repeats(c.raw.Keys16, i, limit)
	case proto.KeyUInt32, proto.KeyUInt64: // the latter was refused while reading
	}
	return repeats(c.raw.Keys32, i, limit)
}

// Repeating are columns that know how far a word goes on: see [LowCardinality.Repeats].
type Repeating interface{ Repeats(i, limit int) int }

// BothRepeat is Repeats of two columns at once. It looks no further ahead than twice as
// far as that goes, however much further one of them would go on alone (O5).
func BothRepeat(a, b Repeating, i, limit int) int {
	const first = 16
	for ahead := first; ; ahead *= 2 {
		near := min(i+ahead, limit)
		if same := min(a.Repeats(i, near), b.Repeats(i, near)); same < near || near == limit {
			return same
		}
	}
}

func repeats[K comparable](keys []K, i, limit int) int {
	limit = min(limit, len(keys))
	key := keys[i]
	for i < limit && keys[i] == key {
		i++
	}
	return i
}
