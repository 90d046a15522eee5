package aggregate

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/reckon-billing/reckon/schemas"
)

// ranking orders the copies of one identity: the one inside the earliest seal's
// cutoff, then the lowest by (Kafka timestamp, topic, partition, offset), counts
// (contract 2). The runs ascend by number.
type ranking []schemas.Run

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

// winners reads the copies of identities that lie apart and says, for each
// identity, where the counting one is.
func (r ranking) winners(copies Cursor[Moved]) (map[schemas.Hash]schemas.Position, error) {
	defer func() { _ = copies.Close() }()
	best := map[schemas.Hash]Moved{}
	for {
		m, err := copies.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("read copies that lie apart: %w", err)
		}
		b, seen := best[m.Identity]
		if !seen || r.compare(m.KafkaTime, m.Position, b.KafkaTime, b.Position) < 0 {
			best[m.Identity] = *m
		}
	}
	won := make(map[schemas.Hash]schemas.Position, len(best))
	for identity, m := range best {
		won[identity] = m.Position
	}
	return won, nil
}

// counting hands out only the copies that count, each once. Copies under one
// sort key stand side by side in the stream; those that lie apart are known
// from the winners.
type counting struct {
	copies  Cursor[Copy]
	ranking ranking
	won     map[schemas.Hash]schemas.Position

	// held is the best copy so far of the group being read; nil before the first
	// and after the last. kept is where it is moved when it has to outlive its
	// place in the stream.
	held *Copy
	kept Copy
	done bool
}

// Next returns io.EOF after the last. The row is valid until the next call.
func (c *counting) Next() (*Copy, error) {
	for !c.done {
		row, err := c.copies.Next()
		if errors.Is(err, io.EOF) {
			c.done = true
			break
		}
		if err != nil {
			return nil, err
		}
		if c.held != nil && sameFact(c.held, row) {
			if c.ranking.compare(row.KafkaTime, row.Position, c.held.KafkaTime, c.held.Position) < 0 {
				c.held = row
			} else if c.held != &c.kept {
				c.kept = *c.held
				c.held = &c.kept
			}
			continue
		}
		complete := c.held
		c.held = row
		if complete != nil && c.counts(complete) {
			return complete, nil
		}
	}
	complete := c.held
	c.held = nil
	if complete != nil && c.counts(complete) {
		return complete, nil
	}
	return nil, io.EOF
}

// Close closes the stream below.
func (c *counting) Close() error { return c.copies.Close() }

func (c *counting) counts(x *Copy) bool {
	if len(c.won) == 0 {
		return true
	}
	at, apart := c.won[schemas.Identity(x.Source, x.ID)]
	return !apart || at == x.Position
}

func sameFact(a, b *Copy) bool {
	return a.ID == b.ID && a.Source == b.Source && a.Sequence == b.Sequence && a.Time.Equal(b.Time) &&
		a.ResourceID == b.ResourceID && a.AccountID == b.AccountID
}
