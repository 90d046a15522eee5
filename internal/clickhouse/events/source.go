package events

import (
	"context"

	"github.com/reckon-billing/reckon/aggregate"
	"github.com/reckon-billing/reckon/internal/clickhouse/column"
	"github.com/reckon-billing/reckon/internal/clickhouse/scope"
	"github.com/reckon-billing/reckon/schemas"
)

// Strays streams copies as [aggregate.Source] says, over all history. It takes half of
// the server's threads: what is folded meanwhile needs the others.
func (s *Store) Strays(ctx context.Context, cutoff schemas.Cutoff) (schemas.Cursor[aggregate.StrayCopy], error) {
	var threads int64
	if err := s.db.Row(ctx, "half_of_threads", []any{&threads}); err != nil {
		return nil, err
	}
	ctx = column.WithSettings(ctx, column.Settings{"max_threads": threads})
	rows, err := s.db.Rows(ctx, "stray_copies", scope.BindCutoff("", cutoff)...)
	if err != nil {
		return nil, err
	}
	return &strays{Rows: rows}, nil
}

// strays reads rows of stray_copies.sql.
type strays struct {
	*column.Rows
	row aggregate.StrayCopy
}

// Next is as [schemas.Cursor] says.
func (c *strays) Next() (*aggregate.StrayCopy, error) {
	var identity string
	var at int64
	p := &c.row.Position
	if err := c.Rows.Next(&identity, &p.Log, &p.Topic, &p.Partition, &p.Offset, &at); err != nil {
		return nil, err
	}
	copy(c.row.Identity[:], identity)
	c.row.KafkaTime = kafkaTime(at)
	return &c.row, nil
}
