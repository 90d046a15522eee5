package clickhouse

import (
	"context"

	"github.com/reckon-billing/reckon/aggregate"
)

var _ aggregate.Source = (*Store)(nil)

// Moved streams copies as [aggregate.Source] says, over all history up to the
// cutoff; of the rest of the scope nothing counts.
func (s *Store) Moved(ctx context.Context, scope aggregate.Scope) (aggregate.Cursor[aggregate.Moved], error) {
	rows, err := s.stream(ctx, "moved", bindCutoff("", scope.Cutoff)...)
	if err != nil {
		return nil, err
	}
	return &moved{cursor: rows}, nil
}

// moved reads rows of moved.sql.
type moved struct {
	*cursor
	row aggregate.Moved
}

// Next is as [aggregate.Cursor] says.
func (c *moved) Next() (*aggregate.Moved, error) {
	var identity string
	var at int64
	p := &c.row.Position
	if err := c.next(&identity, &p.Topic, &p.Partition, &p.Offset, &at); err != nil {
		return nil, err
	}
	copy(c.row.Identity[:], identity)
	c.row.KafkaTime = kafkaTime(at)
	return &c.row, nil
}
