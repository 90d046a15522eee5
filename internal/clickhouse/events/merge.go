package events

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"time"

	"github.com/reckon-billing/reckon/aggregate"
	"github.com/reckon-billing/reckon/aggregate/fold"
	"github.com/reckon-billing/reckon/schemas"
)

// ordered is events in the order of the fold, which stands at rows of one resource.
type ordered interface {
	// advance goes to the next rows; io.EOF comes after the last.
	advance() error
	// at says whose they are.
	at() (account, resource string)
	// show makes rows of them.
	show(rows *aggregate.Rows)
}

// merged is the rows of several streams of one month, each in order by itself.
//
// It goes by column, and where a resource's rows are of one stream they are handed on
// as they lie. The merge of everything else, [schemas.Sorted], goes row by row: of four
// streams and a million rows it takes 60 ns a row where this takes 33, of some 300 that
// sealing a month of usage takes in all.
type merged struct {
	// live are the streams that have rows left, here those of them that stand at the
	// resource.
	live, here        []*eventStream
	account, resource string
	// only is the stream whose rows they are, nil where they are of several; then
	// they are gathered here, with where each came from.
	only       *eventStream
	usage      bool
	times      []int64
	sequences  []int64
	identities [][16]byte
	items      []string
	values     []fold.Units
	from       []*eventStream
	rows       []int32
	more       bool
	err        error
}

// mostMerged bounds how many rows are gathered.
const mostMerged = 8192

func (m *merged) at() (account, resource string) { return m.account, m.resource }

func (m *merged) advance() error {
	if m.only != nil {
		m.only.row, m.only = m.only.end, nil
	}
	if err := m.forward(); err != nil {
		return err
	}
	m.find()
	if len(m.here) == 1 {
		m.only = m.here[0]
		return nil
	}
	m.merge()
	return nil
}

// forward moves those streams on whose rows have all been handed out: only now,
// since that may overwrite them.
func (m *merged) forward() error {
	left := m.live[:0]
	for _, e := range m.live {
		if e.row == e.end {
			if err := e.advance(); errors.Is(err, io.EOF) {
				continue
			} else if err != nil {
				return err
			}
		}
		left = append(left, e)
	}
	if m.live = left; len(left) == 0 {
		return io.EOF
	}
	return nil
}

// find finds the streams that stand at the lowest account and resource.
func (m *merged) find() {
	m.here = m.here[:0]
	for i, e := range m.live {
		if i > 0 && (e.account > m.account || e.account == m.account && e.resource > m.resource) {
			continue
		}
		if i == 0 || e.account != m.account || e.resource != m.resource {
			m.account, m.resource, m.here = e.account, e.resource, m.here[:0]
		}
		m.here = append(m.here, e)
	}
}

// merge gathers rows by (time, sequence, source, id), until a stream would have to
// go to its next block to know whether it has more of the resource.
func (m *merged) merge() {
	m.times, m.sequences, m.identities = m.times[:0], m.sequences[:0], m.identities[:0]
	m.items, m.values, m.from, m.rows = m.items[:0], m.values[:0], m.from[:0], m.rows[:0]
	m.more, m.err = false, nil
	here := m.here
	for len(here) > 0 && len(m.times) < mostMerged {
		best := 0
		for i := 1; i < len(here); i++ {
			if here[i].before(here[best]) {
				best = i
			}
		}
		e := here[best]
		m.take(e)
		if e.row++; e.row < e.end {
			continue
		}
		if e.more() {
			m.more = true
			return
		}
		here = append(here[:best], here[best+1:]...)
	}
	m.more = len(here) > 0
}

// take gathers the row at which the stream stands.
func (m *merged) take(e *eventStream) {
	b, i := e.block, e.row
	m.times, m.sequences = append(m.times, b.times[i]), append(m.sequences, b.sequences[i])
	m.identities = append(m.identities, b.identities[i])
	m.from, m.rows = append(m.from, e), append(m.rows, int32(i)) //nolint:gosec // of a block
	if m.usage {
		m.items, m.values = append(m.items, b.names[i]), append(m.values, b.values[i])
		if b.bad && m.err == nil {
			m.err = b.refuse(i)
		}
	}
}

func (m *merged) show(rows *aggregate.Rows) {
	if m.only != nil {
		m.only.show(rows)
		return
	}
	*rows = aggregate.Rows{
		AccountID: m.account, ResourceID: m.resource, More: m.more,
		Times: m.times, Sequences: m.sequences, Identities: m.identities, Err: m.err, Of: m,
	}
	if m.usage {
		rows.Items, rows.Values = m.items, m.values
	}
}

// Position is as [aggregate.RowSource] says.
func (m *merged) Position(i int) (schemas.Position, time.Time) {
	return m.from[i].place(int(m.rows[i]))
}

// Says is as [aggregate.RowSource] says.
func (m *merged) Says(i int) (schemas.Type, string) { return m.from[i].says(int(m.rows[i])) }

// Fill is as [aggregate.RowSource] says.
func (m *merged) Fill(i int, row *aggregate.Copy) { m.from[i].fill(int(m.rows[i]), row) }

// before tells whether the row of e comes before that of o, of the same resource.
// Copies of one event are equal.
func (e *eventStream) before(o *eventStream) bool {
	b, c, i, j := e.block, o.block, e.row, o.row
	switch {
	case b.times[i] != c.times[j]:
		return b.times[i] < c.times[j]
	case b.sequences[i] != c.sequences[j]:
		return b.sequences[i] < c.sequences[j]
	case b.identities[i] == c.identities[j]:
		return false
	}
	if order := strings.Compare(b.sources.At(i), c.sources.At(j)); order != 0 {
		return order < 0
	}
	return bytes.Compare(b.ids.At(i), c.ids.At(j)) < 0
}
