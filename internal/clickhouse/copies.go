package clickhouse

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	driver "github.com/ClickHouse/clickhouse-go/v2"

	"github.com/reckon-billing/reckon/aggregate"
)

// Events streams copies as [aggregate.Source] says: lifecycle events of
// [From, To) or usage of [From, UsageTo).
//
// The table is sorted by UTC month first (schemas/clickhouse/0002_events.sql), so
// the rows of one such month come in the order of the fold as they lie, without
// sorting; a billing month lies in two or three. Their streams are merged here. Of
// a scope that has events in more than a few months the server sorts, on disk
// when it must.
func (s *Store) Events(ctx context.Context, scope aggregate.Scope, what aggregate.What) (aggregate.Cursor[aggregate.Rows], error) {
	to, usage := scope.To, what == aggregate.Usage
	if usage {
		to = scope.UsageTo
	}
	args := append(bindScope(&scope), bindTime("from", scope.From), bindTime("to", to), bind("usage", usage))
	months, err := s.monthsOf(ctx, drawnIn(scope.From), drawnIn(to), args)
	if err != nil {
		return nil, err
	}
	c := &copies{}
	switch {
	case len(months) > maxMonths:
		err = c.open(ctx, s, "events", eventSettings(1), args, newEnds(scope.Cutoff), true, true, true)
	case usage && scope.Named:
		err = c.openMonths(ctx, s, "named_usage_of_month", months, args, newEnds(scope.Cutoff), false, true, true)
	case usage:
		err = c.openMonths(ctx, s, "usage_of_month", months, args, newEnds(scope.Cutoff), false, true, false)
	default:
		err = c.openMonths(ctx, s, "lifecycle_of_month", months, args, newEnds(scope.Cutoff), true, false, true)
	}
	if err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

// maxMonths is how many streams are read side by side, each of which costs the
// server some buffers a part and this program two blocks.
const maxMonths = 4

// eventSettings are those of a query of events, when so many run side by side.
func eventSettings(streams int) driver.Settings {
	return driver.Settings{
		"max_block_size": blockRows / max(1, streams),
		// Without, a condition on toYYYYMM(time) is rewritten as one on time, and
		// the server no longer sees that the rows lie in order.
		"optimize_time_filter_with_preimage": 0,
	}
}

// blockRows is the number of rows in a block of all streams together: big enough
// to cost little a row, small enough for some megabytes.
const blockRows = 32768

// monthsOf are the UTC months, as 202610, of [from, to), oldest first; of a long
// time only those that have events.
func (s *Store) monthsOf(ctx context.Context, from, to time.Time, args []any) ([]uint32, error) {
	var months []uint32
	last := yearMonth(to.Add(-time.Millisecond))
	for at := from; yearMonth(at) <= last && len(months) <= maxMonths; at = firstOfNextMonth(at) {
		months = append(months, yearMonth(at))
	}
	if len(months) <= maxMonths {
		return months, nil
	}
	months = nil
	var month uint32
	err := s.each(ctx, "event_months", []any{&month}, func() error {
		months = append(months, month)
		return nil
	}, args...)
	if err != nil {
		return nil, fmt.Errorf("find the months that have events: %w", err)
	}
	return months, nil
}

func yearMonth(at time.Time) uint32 {
	at = at.UTC()
	return uint32(at.Year()*100 + int(at.Month())) //nolint:gosec // 1970 to 2200
}

func firstOfNextMonth(at time.Time) time.Time {
	at = at.UTC()
	return time.Date(at.Year(), at.Month()+1, 1, 0, 0, 0, 0, time.UTC)
}

// copies merges streams of events whose times do not overlap, in the order of
// their times.
type copies struct {
	streams []*eventStream
	// live are those that stand at rows, in the order of their times; lead is the
	// place of the one whose rows were handed out last, if started.
	live    []*eventStream
	lead    int
	started bool
	err     error

	rows aggregate.Rows
}

func (c *copies) openMonths(ctx context.Context, s *Store, name string, months []uint32, args []any, cutoff ends, lifecycle, usage, named bool) error {
	for _, month := range months {
		bound := append(args[:len(args):len(args)], bind("month", month))
		if err := c.open(ctx, s, name, eventSettings(len(months)), bound, cutoff, lifecycle, usage, named); err != nil {
			return err
		}
	}
	return nil
}

// open adds a stream.
func (c *copies) open(ctx context.Context, s *Store, name string, settings driver.Settings, args []any, cutoff ends, lifecycle, usage, named bool) error {
	rows, err := openStream(ctx, s, name, settings, args, newEventBlock(lifecycle, usage, named), newEventBlock(lifecycle, usage, named))
	if err != nil {
		return err
	}
	known := newKnownData()
	if len(c.streams) > 0 {
		known = c.streams[0].known
	}
	c.streams = append(c.streams, &eventStream{stream: rows, cutoff: cutoff, known: known})
	return nil
}

// Next is as [aggregate.Cursor] says.
func (c *copies) Next() (*aggregate.Rows, error) {
	if c.err != nil {
		return nil, c.err
	}
	if c.err = c.move(); c.err != nil {
		return nil, c.err
	}
	c.live[c.lead].show(&c.rows)
	return &c.rows, nil
}

// move makes the stream of the next rows the leading one.
func (c *copies) move() error {
	if !c.started {
		c.started = true
		for _, e := range c.streams {
			if err := e.advance(); err == nil {
				c.live = append(c.live, e)
			} else if !errors.Is(err, io.EOF) {
				return err
			}
		}
		return c.choose()
	}
	lead := c.live[c.lead]
	account, resource := lead.account, lead.resource
	switch err := lead.advance(); {
	case errors.Is(err, io.EOF):
		c.live = append(c.live[:c.lead:c.lead], c.live[c.lead+1:]...)
	case err != nil:
		return err
	case lead.account == account && lead.resource == resource:
		return nil // no earlier stream has any of it left
	}
	return c.choose()
}

// choose finds the stream with the lowest account and resource; of equal ones the
// earlier has the earlier events.
func (c *copies) choose() error {
	if len(c.live) == 0 {
		return io.EOF
	}
	c.lead = 0
	for i, e := range c.live[1:] {
		if low := c.live[c.lead]; e.account < low.account || e.account == low.account && e.resource < low.resource {
			c.lead = i + 1
		}
	}
	return nil
}

// Close ends the queries wherever they are.
func (c *copies) Close() error {
	for _, e := range c.streams {
		e.close()
	}
	c.err = errClosed
	return nil
}

var errClosed = errors.New("a cursor is read after its end")
