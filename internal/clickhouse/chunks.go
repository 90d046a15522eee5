package clickhouse

import (
	"bytes"
	"cmp"
	"strings"

	"github.com/reckon-billing/reckon/aggregate"
)

// chunk is rows of a block that are in the order of the fold, from row up to end.
type chunk struct {
	*eventBlock
	row, end int
	// account and resource are those of the row.
	account, resource string
}

// chunks are those of a range. They are merged: a heap with the first row at 0.
type chunks struct {
	all    []chunk
	cutoff ends
	view   rowsOf
}

// add cuts a block into chunks. A block comes from one part, where the rows are
// sorted by month first, so it has few.
func (c *chunks) add(b *eventBlock) {
	from := 0
	split := func(i int) {
		c.push(chunk{eventBlock: b, row: from, end: i})
		from = i
	}
	for i := 0; i < b.rows; {
		if i > 0 && b.compare(i-1, b, i) > 0 {
			split(i)
		}
		same := min(b.accounts.repeats(i, b.rows), b.resources.repeats(i, b.rows))
		for i++; i < same; i++ {
			if b.times[i] <= b.times[i-1] && b.compareInside(i-1, b, i) > 0 {
				split(i)
			}
		}
	}
	split(b.rows)
}

func (c *chunks) push(x chunk) {
	if c.settle(&x) {
		c.all = append(c.all, x)
		for i := len(c.all) - 1; i > 0 && c.less(i, (i-1)/2); i = (i - 1) / 2 {
			c.all[i], c.all[(i-1)/2] = c.all[(i-1)/2], c.all[i]
		}
	}
}

// settle goes on to the next row before the cutoff; false when there is none.
func (c *chunks) settle(x *chunk) bool {
	for x.row < x.end && !x.inside(&c.cutoff, x.row) {
		x.row++
	}
	if x.row == x.end {
		return false
	}
	x.account, x.resource = x.accounts.at(x.row), x.resources.at(x.row)
	return true
}

func (c *chunks) less(i, j int) bool {
	a, b := &c.all[i], &c.all[j]
	if order := cmp.Or(strings.Compare(a.account, b.account), strings.Compare(a.resource, b.resource)); order != 0 {
		return order < 0
	}
	return a.compareInside(a.row, b.eventBlock, b.row) < 0
}

// next takes the next rows of one resource that stand side by side; false after
// the last.
func (c *chunks) next(rows *aggregate.Rows) bool {
	if len(c.all) == 0 {
		return false
	}
	x := &c.all[0]
	limit := min(x.accounts.repeats(x.row, x.end), x.resources.repeats(x.row, x.end))
	second := c.second()
	if second != nil && (second.resource != x.resource || second.account != x.account) {
		second = nil
	}
	from, to := x.row, x.row+1
	for to < limit && x.inside(&c.cutoff, to) && (second == nil || x.compareInside(to, second.eventBlock, second.row) <= 0) {
		to++
	}
	c.view.eventBlock, c.view.from, c.view.account, c.view.resource = x.eventBlock, from, x.account, x.resource
	x.row = to
	if !c.settle(x) {
		last := len(c.all) - 1
		c.all[0] = c.all[last]
		c.all = c.all[:last]
	}
	c.sink()
	c.view.show(rows, to, len(c.all) > 0 && c.all[0].resource == c.view.resource && c.all[0].account == c.view.account)
	return true
}

// second is the chunk that comes after the first, nil for none.
func (c *chunks) second() *chunk {
	switch {
	case len(c.all) < 2:
		return nil
	case len(c.all) > 2 && c.less(2, 1):
		return &c.all[2]
	}
	return &c.all[1]
}

func (c *chunks) sink() {
	for i := 0; ; {
		low := i
		for j := 2*i + 1; j <= 2*i+2 && j < len(c.all); j++ {
			if c.less(j, low) {
				low = j
			}
		}
		if low == i {
			return
		}
		c.all[i], c.all[low] = c.all[low], c.all[i]
		i = low
	}
}

// compare orders two rows as the fold wants them, copies of one event aside.
func (b *eventBlock) compare(i int, o *eventBlock, j int) int {
	if order := strings.Compare(b.accounts.at(i), o.accounts.at(j)); order != 0 {
		return order
	}
	if order := strings.Compare(b.resources.at(i), o.resources.at(j)); order != 0 {
		return order
	}
	return b.compareInside(i, o, j)
}

// compareInside is compare for rows of one resource.
func (b *eventBlock) compareInside(i int, o *eventBlock, j int) int {
	if order := cmp.Compare(b.times[i], o.times[j]); order != 0 {
		return order
	}
	return cmp.Or(cmp.Compare(b.sequences[i], o.sequences[j]),
		bytes.Compare(b.sources.at(i), o.sources.at(j)), bytes.Compare(b.ids.at(i), o.ids.at(j)))
}

func (b *eventBlock) inside(cutoff *ends, i int) bool {
	return cutoff.contain(b.topics.at(i), b.partitions[i], b.offsets[i])
}
