package aggregate

import (
	"cmp"
	"errors"
	"io"
	"slices"
	"time"

	"github.com/reckon-billing/reckon/schemas"
)

// ranking orders the copies of one identity: the one inside the earliest seal's
// cutoff, then the lowest by (Kafka timestamp, topic, partition, offset), counts
// (contract 2). The runs ascend by number.
type ranking []schemas.Run

func rankingOf(plan schemas.Derivation) ranking { return append(slices.Clone(plan.Earlier), plan.Run) }

func (r ranking) earliest(p schemas.Position) int {
	for i := range r {
		if r[i].Cutoff.Contains(p) {
			return i
		}
	}
	return len(r)
}

func (r ranking) compare(aTime time.Time, a schemas.Position, bTime time.Time, b schemas.Position) int {
	return cmp.Or(
		cmp.Compare(r.earliest(a), r.earliest(b)),
		aTime.Compare(bTime),
		schemas.ComparePositions(a, b),
	)
}

// counted are rows of which some count: which, by their places.
type counted struct {
	*Rows
	which []int32
}

// counting finds the copies that count, each once. Copies under one sort key
// stand side by side in the stream; of stray ones it is known where the one that counts lies.
type counting struct {
	schemas.Cursor[Rows]
	ranking ranking
	// strays is of the stray copies; nil for as if there were none.
	strays schemas.StrayWinner

	// ahead are rows that are read and not yet looked through, at on.
	ahead *Rows
	at    int
	// kept is the best copy so far of an event of which more may come, if holding.
	kept    oneRow
	holding bool
	out     counted
}

// Next returns io.EOF after the last. The rows are valid until the next call.
func (c *counting) Next() (*counted, error) {
	for {
		if c.ahead == nil {
			rows, err := c.Cursor.Next()
			if err != nil && (!c.holding || !errors.Is(err, io.EOF)) {
				return nil, err
			}
			c.ahead, c.at = rows, 0
		}
		c.out.Rows, c.out.which = c.ahead, c.out.which[:0]
		switch {
		case !c.holding:
			c.sift()
		case c.compareKept():
			c.holding = false
			c.out.Rows = &c.kept.rows
			c.end(0)
		}
		if len(c.out.which) > 0 {
			return &c.out, nil
		}
	}
}

// compareKept compares the kept copy with the copies of its event that come next;
// false when even more may come.
func (c *counting) compareKept() bool {
	rows := c.ahead
	if rows == nil {
		return true
	}
	kept := &c.kept.rows
	for ; c.at < len(rows.Times) && sameEvent(kept, 0, rows, c.at) &&
		kept.ResourceID == rows.ResourceID && kept.AccountID == rows.AccountID; c.at++ {
		if c.better(rows, c.at, kept, 0) {
			c.keep(c.at)
		}
	}
	if c.at < len(rows.Times) {
		return true
	}
	c.ahead = nil
	return !rows.More
}

// sift finds which of the rows ahead count.
func (c *counting) sift() {
	rows, best := c.ahead, c.at
	for i := c.at + 1; i < len(rows.Times); i++ {
		switch {
		case !sameEvent(rows, i-1, rows, i):
			c.end(best)
			best = i
		case c.better(rows, i, rows, best):
			best = i
		}
	}
	if c.ahead = nil; rows.More {
		c.keep(best)
		return
	}
	c.end(best)
}

// keep moves a row out of the stream.
func (c *counting) keep(i int) {
	rows := c.out.Rows
	rows.Of.Fill(i, &c.kept.copy)
	c.kept.show(rows.Identities[i])
	if c.kept.rows.Err == nil {
		c.kept.rows.Err = rows.Err
	}
	c.holding = true
}

// end ends the copies of an event, of which the row is the best.
func (c *counting) end(best int) {
	if c.strays != nil {
		at, stray := c.strays(c.out.Identities[best])
		if place, _ := c.out.Of.Position(best); stray && at != place {
			return
		}
	}
	c.out.which = append(c.out.which, int32(best)) //nolint:gosec // a row of a block
}

func (c *counting) better(a *Rows, i int, b *Rows, j int) bool {
	at, aTime := a.Of.Position(i)
	than, bTime := b.Of.Position(j)
	return c.ranking.compare(aTime, at, bTime, than) < 0
}

// sameEvent tells whether two rows of one resource are copies of one event.
func sameEvent(a *Rows, i int, b *Rows, j int) bool {
	return a.Times[i] == b.Times[j] && a.Sequences[i] == b.Sequences[j] && a.Identities[i] == b.Identities[j]
}
