package column

import (
	"encoding/binary"
	"sync"

	"github.com/ClickHouse/ch-go/proto"
)

// Arena is memory that large columns are written into, slab by slab, and that they
// give back: one slice would be copied over and over while it grows, and memory that
// is touched for the first time costs more than what is written to it.
type Arena struct{ slabs sync.Pool }

// NewArena makes an arena, safe for concurrent use.
func NewArena() *Arena { return &Arena{sync.Pool{New: func() any { return new(slab) }}} }

// slab is a piece of a column.
type slab [256 << 10]byte

// ArenaInput is a column String of large values to insert, in the form that is
// sent; see [StringInput].
type ArenaInput struct {
	Arena *Arena

	slabs []*slab
	used  int // of the last slab
	rows  int
}

// Add adds a value.
func (c *ArenaInput) Add(value []byte) {
	var length [binary.MaxVarintLen64]byte
	c.write(length[:binary.PutUvarint(length[:], uint64(len(value)))])
	c.write(value)
	c.rows++
}

func (c *ArenaInput) write(b []byte) {
	for len(b) > 0 {
		if len(c.slabs) == 0 || c.used == len(slab{}) {
			fresh, _ := c.Arena.slabs.Get().(*slab)
			c.slabs, c.used = append(c.slabs, fresh), 0
		}
		n := copy(c.slabs[len(c.slabs)-1][c.used:], b)
		b, c.used = b[n:], c.used+n
	}
}

// each hands out the bytes in order.
func (c *ArenaInput) each(yield func([]byte)) {
	for i, s := range c.slabs {
		if i < len(c.slabs)-1 {
			yield(s[:])
		} else {
			yield(s[:c.used])
		}
	}
}

// Type is for the library.
func (c *ArenaInput) Type() proto.ColumnType { return proto.ColumnTypeString }

// Rows is for the library.
func (c *ArenaInput) Rows() int { return c.rows }

// EncodeColumn is for the library.
func (c *ArenaInput) EncodeColumn(b *proto.Buffer) { c.each(b.PutRaw) }

// WriteColumn is for the library.
func (c *ArenaInput) WriteColumn(w *proto.Writer) { c.each(w.ChainWrite) }

// Reset gives the memory back.
func (c *ArenaInput) Reset() {
	for i, s := range c.slabs {
		c.Arena.slabs.Put(s)
		c.slabs[i] = nil
	}
	c.slabs, c.used, c.rows = c.slabs[:0], 0, 0
}
