package clickhouse

import (
	"context"
	"fmt"
	"io"

	"github.com/reckon-billing/reckon/aggregate"
	"github.com/reckon-billing/reckon/schemas"
)

var _ aggregate.Source = (*Store)(nil)

// Edges streams states as [aggregate.Source] says: for each resource the row of
// the highest month up to scope.Month, then of the highest run before scope.Run.
func (s *Store) Edges(ctx context.Context, scope aggregate.Scope) (aggregate.Cursor[schemas.Edge], error) {
	if scope.Month.IsZero() {
		return noEdges{}, nil
	}
	args := append(bindScope(&scope), bindTime("from", scope.From), bindTime("to", scope.To), bind("month", scope.Month.String()))
	rows, err := s.stream(ctx, "edges", args...)
	if err != nil {
		return nil, err
	}
	return &edges{cursor: rows}, nil
}

// noEdges are those of the month before the first.
type noEdges struct{}

func (noEdges) Next() (*schemas.Edge, error) { return nil, io.EOF }
func (noEdges) Close() error                 { return nil }

// edges reads rows of edges.sql, of which the first of each resource counts.
type edges struct {
	*cursor
	row     schemas.Edge
	started bool
}

// Next is as [aggregate.Cursor] says.
func (c *edges) Next() (*schemas.Edge, error) {
	for {
		var (
			e      schemas.Edge
			at     string
			run    int64
			wanted bool
		)
		if err := c.next(&e.AccountID, &e.ResourceID, &at, &run, &e.Deleted, &e.State, &e.CouponUsed, &wanted); err != nil {
			return nil, err
		}
		month, err := schemas.ParseMonth(at)
		if err != nil {
			return nil, fmt.Errorf("stored edge of account %q, resource %q: %w", e.AccountID, e.ResourceID, err)
		}
		e.At = month
		first := !c.started || e.AccountID != c.row.AccountID || e.ResourceID != c.row.ResourceID
		c.started = true
		if !first {
			continue
		}
		c.row = e
		if wanted {
			return &c.row, nil
		}
	}
}

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
