package aggregate

import (
	"fmt"
	"time"

	"github.com/reckon-billing/reckon/aggregate/fold"
	"github.com/reckon-billing/reckon/schemas"
)

// Rows are copies of the events of one resource (or of an account itself) that
// stand side by side, by column: most of what a row says nobody asks for, and a
// month has millions of them.
type Rows struct {
	AccountID, ResourceID string
	// More says that further copies of the last event may come with the next rows.
	More bool
	// Times are in Unix milliseconds. An identity is that of [schemas.Identity].
	Times, Sequences []int64
	Identities       [][16]byte
	// Items and Values are those of usage, nil else.
	Items  []string
	Values []fold.Units
	// Err says that a row of usage could not be read back as the event it was. It
	// breaks the account alone.
	Err error
	// Of gives the rest of a row.
	Of RowSource
}

// RowSource gives whole rows by their place.
type RowSource interface {
	// Position is where a copy lies in the log, and its Kafka timestamp.
	Position(i int) (schemas.Position, time.Time)
	// Says is the type of a lifecycle row, and its data in canonical form, as
	// codec.AppendData writes it; nothing where that is not known.
	Says(i int) (schemas.Type, string)
	// Fill overwrites a copy with the row. The strings and slices in it stay as
	// they are, whatever is read next; equal lists of items may be one.
	Fill(i int, c *Copy)
}

// RowsOf hands out whole copies as rows, one by one.
func RowsOf(copies schemas.Cursor[Copy]) schemas.Cursor[Rows] { return &copyRows{Cursor: copies} }

type copyRows struct {
	schemas.Cursor[Copy]
	row oneRow
}

// Next returns io.EOF after the last.
func (c *copyRows) Next() (*Rows, error) {
	x, err := c.Cursor.Next()
	if err != nil {
		return nil, err
	}
	c.row.copy = *x
	return c.row.show(schemas.Identity(x.Source, x.ID)), nil
}

// oneRow is a single copy as rows.
type oneRow struct {
	copy           Copy
	rows           Rows
	time, sequence [1]int64
	identity       [1][16]byte
	item           [1]string
	value          [1]fold.Units
}

// show makes rows of the copy.
func (o *oneRow) show(identity [16]byte) *Rows {
	c := &o.copy
	o.time[0], o.sequence[0], o.identity[0] = c.Time.UnixMilli(), c.Sequence, identity
	o.rows = Rows{
		AccountID: c.AccountID, ResourceID: c.ResourceID, More: true,
		Times: o.time[:], Sequences: o.sequence[:], Identities: o.identity[:], Err: c.Err, Of: o,
	}
	if c.Type == schemas.UsageRecorded {
		var ok bool
		if o.value[0], ok = fold.UnitsOf(c.Value); !ok && c.Err == nil {
			o.rows.Err = fmt.Errorf("a usage value of %s", c.Value)
		}
		o.item[0] = c.Item
		o.rows.Items, o.rows.Values = o.item[:], o.value[:]
	}
	return &o.rows
}

// Position is as [RowSource] says.
func (o *oneRow) Position(int) (schemas.Position, time.Time) {
	return o.copy.Position, o.copy.KafkaTime
}

// Says says nothing: it only saves reading what was read before, which pays for
// rows that come in blocks.
func (o *oneRow) Says(int) (schemas.Type, string) { return "", "" }

// Fill is as [RowSource] says.
func (o *oneRow) Fill(_ int, c *Copy) { *c = o.copy }
