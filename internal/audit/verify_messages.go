package audit

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/reckon-billing/reckon/schemas"
	"github.com/reckon-billing/reckon/schemas/codec"
)

// messages checks that every message before the cutoff is stored once, as the event or
// the dead letter that it is, column by column. What Kafka has is the truth: its
// partitions are read again beside what is stored. What Kafka has deleted is compared
// with its own bytes, as they are stored; so is all where Kafka is not read.
func (p *proof) messages(ctx context.Context, skipLog bool) error {
	rows, err := p.Stored.StoredMessages(ctx, p.Run.Cutoff)
	if err != nil {
		return fmt.Errorf("read how messages are stored: %w", err)
	}
	defer func() { _ = rows.Close() }() // every error that matters came from Next
	c := &messageCheck{
		pairing: pairing{proof: p}, rows: rows, others: map[place]*strayRow{}, mirror: p.Stored.Mirror(), parse: codec.NewFastParser(codec.Parser{Currency: p.Currency}).Parse,
	}
	if err := c.advance(); err != nil {
		return err
	}
	if err := c.partitions(ctx, skipLog); err != nil && !errors.Is(err, errEnough) {
		return err
	}
	if err := c.tell(ctx); err != nil {
		return err
	}
	return p.known(ctx)
}

// known checks that copies of one event are found wherever they lie.
func (p *proof) known(ctx context.Context) error {
	missing, err := p.Stored.MissingIdentities(ctx, p.Run.Cutoff, mostDifferences)
	if err != nil {
		return err
	}
	for _, position := range missing {
		if err := p.differ("%s is stored as an event, but its identity is not: a copy of it elsewhere would count again", position.Where()); err != nil {
			return err
		}
	}
	return nil
}

// messageCheck reads what is stored of messages beside what Kafka has.
type messageCheck struct {
	pairing
	parse  func(*schemas.Message) (schemas.Event, error)
	mirror Mirror
	// rows are what is stored, next the row in sight.
	rows schemas.Cursor[StoredMessage]
	next *StoredMessage
	// group are the different rows of one message.
	group []StoredMessage
	// others are rows of no message, by where they stand and whether they are rejects.
	others map[place]*strayRow
}

// partitions goes through the partitions of the cutoff, sorted as the rows are.
func (c *messageCheck) partitions(ctx context.Context, skipLog bool) error {
	var starts []schemas.PartitionEnd
	if !skipLog {
		var topics []string
		for _, end := range c.Run.Cutoff {
			if !slices.Contains(topics, end.Topic) {
				topics = append(topics, end.Topic)
			}
		}
		var err error
		if starts, err = c.Log.Starts(ctx, topics...); err != nil {
			return fmt.Errorf("ask where the log begins: %w", err)
		}
	}
	for _, end := range c.Run.Cutoff {
		first := end.End // a log that has ended is not there any more
		for _, start := range starts {
			if start.WithoutEnd() == end.WithoutEnd() {
				first = min(start.End, end.End)
			}
		}
		deleted := end
		deleted.End = first
		if err := c.deleted(ctx, deleted); err != nil {
			return err
		}
		if err := c.readAgain(ctx, end, first); err != nil {
			return fmt.Errorf("read %s/%d again: %w", end.Topic, end.Partition, err)
		}
	}
	return nil
}

// deleted compares what is stored of messages that are not read from Kafka with their
// own bytes.
func (c *messageCheck) deleted(ctx context.Context, before schemas.PartitionEnd) error {
	some := false
	for c.before(before, before.End) {
		some = true
		if err := c.take(c.next.Position); err != nil {
			return err
		}
		c.Messages.Older++
		for _, row := range c.group[1:] {
			if err := c.other(ctx, &row, true); err != nil {
				return err
			}
		}
	}
	if !some {
		return nil
	}
	return c.Stored.StoredBytes(ctx, before, func(b *StoredBytes) error {
		m := &b.Message
		if len(m.Value) == 0 && b.Why.Reason == codec.RejectNoValue {
			m.Value = nil
		}
		row := StoredMessage{m.Position, b.Rejected, b.Digest, b.Why}
		v, text, err := c.judge(m)
		if err != nil {
			return err
		}
		if same, err := c.same(ctx, m, &v, text, &row); err != nil || same {
			return err
		}
		if err := c.miss(m, &v, text, "by its own bytes"); err != nil {
			return err
		}
		return c.other(ctx, &row, false)
	})
}

// readAgain reads one partition from where it begins beside what is stored of it.
func (c *messageCheck) readAgain(ctx context.Context, end schemas.PartitionEnd, from int64) error {
	if from >= end.End {
		return nil
	}
	err := c.Log.Read(ctx, end, from, func(m *schemas.Message) error {
		c.Messages.Read++
		if err := c.unknown(ctx, end, m.Offset); err != nil {
			return err
		}
		c.group = c.group[:0]
		if c.next != nil && c.next.Position == m.Position {
			if err := c.take(m.Position); err != nil {
				return err
			}
		}
		return c.compare(ctx, m)
	})
	if err != nil {
		return err
	}
	return c.unknown(ctx, end, end.End)
}

// unknown takes the rows before an offset: Kafka has no such messages.
func (c *messageCheck) unknown(ctx context.Context, end schemas.PartitionEnd, offset int64) error {
	for c.before(end, offset) {
		if err := c.take(c.next.Position); err != nil {
			return err
		}
		for _, row := range c.group {
			if err := c.other(ctx, &row, false); err != nil {
				return err
			}
		}
	}
	return nil
}

// before tells whether the next row lies in the partition before the offset.
func (c *messageCheck) before(partition schemas.PartitionEnd, offset int64) bool {
	return c.next != nil && c.next.PartitionEnd() == partition.WithoutEnd() && c.next.Offset < offset
}

// take gathers the different rows of a message.
func (c *messageCheck) take(at schemas.Position) error {
	c.group = c.group[:0]
	for c.next != nil && c.next.Position == at {
		c.group = append(c.group, *c.next)
		if c.next.Rejected {
			c.Messages.Rejected++
		} else {
			c.Messages.Copies++
		}
		if err := c.advance(); err != nil {
			return err
		}
	}
	return nil
}

// advance goes to the next row that differs from the one before: a redelivery stores
// equal ones.
func (c *messageCheck) advance() error {
	for {
		row, err := c.rows.Next()
		if errors.Is(err, io.EOF) {
			c.next = nil
			return nil
		}
		if err != nil {
			return fmt.Errorf("read how messages are stored: %w", err)
		}
		if c.next != nil && *c.next == *row {
			continue
		}
		next := *row
		c.next = &next
		return nil
	}
}
