package clickhouse

import (
	"encoding/binary"
	"sync"

	"github.com/ClickHouse/ch-go/proto"
)

// slab is a piece of a column that is large: one slice would be copied over and
// over while it grows, and memory that is touched for the first time costs more
// than what is written to it.
type slab [256 << 10]byte

// slabInput is a column String of large values to insert, in the form that is
// sent; see [textInput].
type slabInput struct {
	pool  *sync.Pool // of *slab
	slabs []*slab
	used  int // of the last slab
	rows  int
}

func (c *slabInput) add(value []byte) {
	var length [binary.MaxVarintLen64]byte
	c.write(length[:binary.PutUvarint(length[:], uint64(len(value)))])
	c.write(value)
	c.rows++
}

func (c *slabInput) write(b []byte) {
	for len(b) > 0 {
		if len(c.slabs) == 0 || c.used == len(slab{}) {
			fresh, _ := c.pool.Get().(*slab)
			c.slabs, c.used = append(c.slabs, fresh), 0
		}
		n := copy(c.slabs[len(c.slabs)-1][c.used:], b)
		b, c.used = b[n:], c.used+n
	}
}

// each hands out the bytes in order.
func (c *slabInput) each(yield func([]byte)) {
	for i, s := range c.slabs {
		if i < len(c.slabs)-1 {
			yield(s[:])
		} else {
			yield(s[:c.used])
		}
	}
}

// Type, Rows, EncodeColumn, WriteColumn and Reset are for the library.
func (c *slabInput) Type() proto.ColumnType       { return proto.ColumnTypeString }
func (c *slabInput) Rows() int                    { return c.rows }
func (c *slabInput) EncodeColumn(b *proto.Buffer) { c.each(b.PutRaw) }
func (c *slabInput) WriteColumn(w *proto.Writer)  { c.each(w.ChainWrite) }

// Reset gives the memory back.
func (c *slabInput) Reset() {
	for i, s := range c.slabs {
		c.pool.Put(s)
		c.slabs[i] = nil
	}
	c.slabs, c.used, c.rows = c.slabs[:0], 0, 0
}
