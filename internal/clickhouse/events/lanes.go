package events

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/reckon-billing/reckon/aggregate"
	"github.com/reckon-billing/reckon/internal/clickhouse/column"
)

// The rows of a UTC month lie in order in each part of the table, and the server
// can merge the parts while it reads; but it does so row by row in one thread,
// which takes five times as long as reading them does. So parts with many rows are
// read by a query each, in lanes, which are merged here (merge.go).
//
// A part that the server has merged into another in the meantime would be read as
// empty. Therefore each query has begun, and with that has made sure of its part,
// before the parts are looked at again: one that is still there then was there all
// the time, since none ever comes back. Parts that are new by then were inserted
// after the first look, and hold nothing from before the cutoff that is not in the
// others too: a seal begins when all that is stored (invoicer.Invoicer).

// lane is the parts that one query reads; nil for all there are.
type lane []string

// bindLane binds what one query reads.
func bindLane(month uint32, parts lane, server string) []any {
	if parts == nil {
		server = ""
	}
	return []any{column.Bind("month", month), column.Bind("all_parts", parts == nil), column.Bind("parts", []string(parts)), column.Bind("server", server)}
}

// lanes are those of some months, on one server.
type lanes struct {
	server  string
	byMonth map[uint32][]lane
	parts   map[string]bool
	// empty are the months of which no part has any rows.
	empty map[uint32]bool
}

const (
	// maxLanes of a month are read side by side.
	maxLanes = 8
	// laneRows is how many rows of the month make a part worth a lane of its own.
	laneRows = 50_000
	// laneAttempts is how often the parts may change before the server merges.
	laneAttempts = 3
)

// lanesOf says how to read months. Where only some accounts or resources are
// wanted, and where few rows are, there is one lane each.
func (s *Store) lanesOf(ctx context.Context, of *aggregate.Scope, months []uint32, usage bool) (lanes, error) {
	l := lanes{byMonth: map[uint32][]lane{}, parts: map[string]bool{}, empty: map[uint32]bool{}}
	if len(months) > maxMonths || of.Accounts != nil || of.Touched == aggregate.OnlyTouched {
		return l, nil
	}
	for _, month := range months {
		parts, server, err := s.parts(ctx, "month_parts", column.Bind("month", month), column.Bind("usage", usage))
		if err != nil {
			return l, err
		}
		l.empty[month] = len(parts) == 0
		if own := s.split(parts); own != nil {
			l.server, l.byMonth[month] = server, own
			for _, p := range parts {
				l.parts[p.name] = true
			}
		}
	}
	return l, nil
}

// split gives parts, those with most rows first, a lane each as far as they are
// worth it; nil where one lane for all is as good.
func (s *Store) split(parts []part) []lane {
	var own []lane
	var rest lane
	for _, p := range parts {
		if p.rows >= s.laneRows && len(own) < maxLanes-1 {
			own = append(own, lane{p.name})
		} else {
			rest = append(rest, p.name)
		}
	}
	if len(own) == 0 || len(parts) == 1 {
		return nil
	}
	if rest != nil {
		own = append(own, rest)
	}
	return own
}

// part is a part of the table and how many rows of a month it has, about.
type part struct {
	name string
	rows int64
}

// parts are those that a query finds, and the server that has them.
func (s *Store) parts(ctx context.Context, query string, args ...any) (all []part, server string, err error) {
	var p part
	err = s.db.Each(ctx, query, []any{&p.name, &p.rows, &server}, func() error {
		all = append(all, p)
		return nil
	}, args...)
	if err != nil {
		return nil, "", fmt.Errorf("find the parts of events: %w", err)
	}
	return all, server, nil
}

// there tells whether all the parts still are where they were.
func (s *Store) there(ctx context.Context, l *lanes) (bool, error) {
	now, server, err := s.parts(ctx, "all_parts")
	if err != nil || server != l.server {
		return false, err
	}
	left := len(l.parts)
	for _, p := range now {
		if l.parts[p.name] {
			left--
		}
	}
	return left == 0, nil
}

// openLanes opens the streams of months; nil where the parts did not stay as they
// were for long enough.
func (s *Store) openLanes(ctx context.Context, q *eventQuery, l *lanes) (*copies, error) {
	c, err := s.openMonths(ctx, q, l)
	if err != nil || len(l.parts) == 0 {
		return c, err
	}
	err = c.begin()
	stayed := false
	if err == nil {
		stayed, err = s.there(ctx, l)
	}
	if err == nil && stayed {
		return c, nil
	}
	if column.IsThrown(err) { // another server
		err = nil
	}
	return nil, errors.Join(err, c.Close())
}

// begin waits until every query has begun.
func (c *copies) begin() error {
	for _, e := range c.streams {
		if err := e.begin(); err != nil {
			return err
		}
	}
	return nil
}

// begin waits for the first block.
func (e *eventStream) begin() error {
	block, err := e.Next()
	if errors.Is(err, io.EOF) {
		return nil // it comes again
	}
	if err == nil {
		e.block = block
	}
	return err
}
