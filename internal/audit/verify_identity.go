package audit

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/reckon-billing/reckon/schemas"
)

// identity checks that every message before the cutoff is stored once: as a copy
// of an event or as a dead letter. What Kafka has is the truth: its partitions
// are read again beside what is stored.
func (p *proof) identity(ctx context.Context, skipLog bool) error {
	rows, err := p.Offsets.StoredOffsets(ctx, p.Run.Cutoff)
	if err != nil {
		return fmt.Errorf("read where messages are stored: %w", err)
	}
	defer func() { _ = rows.Close() }() // every error that matters came from Next
	s := &storedOffsets{proof: p, rows: rows}
	if err := s.advance(); err != nil {
		return err
	}
	if !skipLog {
		if err := p.readLog(ctx, s); err != nil {
			return err
		}
	}
	for s.next != nil {
		if !skipLog {
			if err := p.differ("%s is stored, but Kafka has no such message", s.next.Where()); err != nil {
				return err
			}
		}
		if err := s.advance(); err != nil {
			return err
		}
	}
	return p.known(ctx)
}

// known checks that copies of one event are found wherever they lie.
func (p *proof) known(ctx context.Context) error {
	missing, err := p.Offsets.MissingIdentities(ctx, p.Run.Cutoff, mostDifferences)
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

// readLog reads the partitions of the cutoff beside what is stored of them.
func (p *proof) readLog(ctx context.Context, s *storedOffsets) error {
	var topics []string
	for _, end := range p.Run.Cutoff {
		if !slices.Contains(topics, end.Topic) {
			topics = append(topics, end.Topic)
		}
	}
	starts, err := p.Log.Starts(ctx, topics...)
	if err != nil {
		return fmt.Errorf("ask where the log begins: %w", err)
	}
	for _, end := range p.Run.Cutoff { // sorted as the rows are
		from := end.End // a log that has ended is not there any more
		for _, start := range starts {
			if start.WithoutEnd() == end.WithoutEnd() {
				from = min(start.End, end.End)
			}
		}
		if err := p.readAgain(ctx, s, end, from); err != nil {
			return fmt.Errorf("read %s/%d again: %w", end.Topic, end.Partition, err)
		}
	}
	return nil
}

// readAgain reads one partition from where it begins beside what is stored of it.
func (p *proof) readAgain(ctx context.Context, s *storedOffsets, end schemas.PartitionEnd, from int64) error {
	upTo := func(offset int64) error {
		for s.before(end, offset) {
			if s.next.Offset < from {
				p.Messages.Older++
			} else if err := p.differ("%s is stored, but Kafka has no such message", s.next.Where()); err != nil {
				return err
			}
			if err := s.advance(); err != nil {
				return err
			}
		}
		return nil
	}
	if from >= end.End {
		return upTo(end.End)
	}
	err := p.Log.Read(ctx, end, from, func(m *schemas.Message) error {
		p.Messages.Read++
		if err := upTo(m.Offset); err != nil {
			return err
		}
		if s.next != nil && s.next.Position == m.Position {
			return s.advance()
		}
		return p.differ("%s lies in Kafka before the cutoff, but is not stored", m.Where())
	})
	if err != nil {
		return err
	}
	return upTo(end.End)
}

// storedOffsets are the stored messages with the next in sight, each once: one
// that is stored twice is a difference.
type storedOffsets struct {
	*proof
	rows schemas.Cursor[StoredOffset]
	next *StoredOffset
}

// before tells whether the next lies in the partition before the offset.
func (s *storedOffsets) before(partition schemas.PartitionEnd, offset int64) bool {
	return s.next != nil && s.next.PartitionEnd() == partition.WithoutEnd() && s.next.Offset < offset
}

func (s *storedOffsets) advance() error {
	for {
		row, err := s.rows.Next()
		if errors.Is(err, io.EOF) {
			s.next = nil
			return nil
		}
		if err != nil {
			return fmt.Errorf("read where messages are stored: %w", err)
		}
		if row.Rejected {
			s.Messages.Rejected++
		} else {
			s.Messages.Copies++
		}
		if s.next == nil || s.next.Position != row.Position {
			s.next = &StoredOffset{row.Position, row.Rejected}
			return nil
		}
		as := "twice as an event"
		if row.Rejected {
			as = "as an event and as a dead letter"
		}
		if err := s.differ("%s is stored %s", row.Where(), as); err != nil {
			return err
		}
	}
}
