package logs

import (
	"context"
	"fmt"

	"golang.org/x/sync/errgroup"

	"github.com/reckon-billing/reckon/internal/clickhouse/column"
	"github.com/reckon-billing/reckon/schemas"
)

// chainsAtOnce is how many chains are followed side by side.
const chainsAtOnce = 4

// Reached follows the chain of notes of each partition, whose End says where its log
// begins, and tells how far it goes.
func (s *Store) Reached(ctx context.Context, partitions []schemas.PartitionEnd) ([]schemas.Reached, error) {
	if err := s.catchUp(ctx); err != nil {
		return nil, err
	}
	marks, err := s.marks(ctx)
	if err != nil {
		return nil, err
	}
	all := make([]schemas.Reached, len(partitions))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(chainsAtOnce)
	for i, p := range partitions {
		g.Go(func() error {
			p.End = max(p.End, marks[p.WithoutEnd()])
			var err error
			all[i], err = s.follow(ctx, p)
			return err
		})
	}
	return all, g.Wait()
}

// Partitions are those of a log that anything was noted or marked of, or that it had
// when it began, each with where it begins.
func (s *Store) Partitions(ctx context.Context, l *schemas.Log) ([]schemas.PartitionEnd, error) {
	n := int32(len(l.Begins)) //nolint:gosec // a number of partitions
	var last int32
	err := s.db.Each(ctx, "log_partitions", []any{&last}, func() error {
		n = max(n, last+1)
		return nil
	}, column.Bind("topic", l.Topic), column.Bind("log", l.Number))
	if err != nil {
		return nil, fmt.Errorf("read which partitions %s has: %w", l.Topic, err)
	}
	all := make([]schemas.PartitionEnd, n)
	for p := range n {
		all[p] = l.Partition(p)
		all[p].End = l.Begin(p)
	}
	return all, nil
}

// marks are the highest marks by partition.
func (s *Store) marks(ctx context.Context) (map[schemas.PartitionEnd]int64, error) {
	marks := map[schemas.PartitionEnd]int64{}
	var p schemas.PartitionEnd
	err := s.db.Each(ctx, "log_marks", []any{&p.Topic, &p.Log, &p.Partition, &p.End}, func() error {
		marks[p.WithoutEnd()] = p.End
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read how far the logs are stored: %w", err)
	}
	return marks, nil
}

// follow follows the notes of one partition from an offset on, up to the first that
// does not join on. Notes may overlap: two readers may have stored the same.
func (s *Store) follow(ctx context.Context, from schemas.PartitionEnd) (schemas.Reached, error) {
	r := schemas.Reached{PartitionEnd: from, Seen: from.End}
	var begin, end, seen int64
	err := s.db.Each(ctx, "log_notes", []any{&begin, &end, &seen}, func() error {
		r.Seen = max(r.Seen, seen, end)
		if begin <= r.End {
			r.End = max(r.End, end)
		}
		return nil
	}, column.Bind("topic", from.Topic), column.Bind("log", from.Log), column.Bind("partition", from.Partition), column.Bind("from", from.End))
	if err != nil {
		return r, fmt.Errorf("read how far %s/%d%s is stored: %w", from.Topic, from.Partition, schemas.OfLog(from.Log), err)
	}
	return r, nil
}

// Mark writes down how far partitions are stored, as was read: their chains are
// followed from there on, and the next note joins on there.
func (s *Store) Mark(ctx context.Context, reached []schemas.PartitionEnd) error {
	if len(reached) == 0 {
		return nil
	}
	var topics column.LowCardinalityInput
	topics.Reset()
	var logs, partitions column.Int32s
	var ends column.Int64s
	for _, p := range reached {
		topics.Add(p.Topic)
		logs, partitions, ends = append(logs, p.Log), append(partitions, p.Partition), append(ends, p.End)
	}
	err := s.db.Insert(ctx, "", column.Insert{Table: "log_marks", Blocks: []column.Input{{
		{Name: "topic", Data: &topics}, {Name: "log", Data: &logs}, {Name: "partition", Data: &partitions}, {Name: "reached", Data: &ends},
	}}})
	if err != nil {
		return fmt.Errorf("mark how far the logs are stored: %w", err)
	}
	return nil
}
