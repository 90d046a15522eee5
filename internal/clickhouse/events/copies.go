package events

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/reckon-billing/reckon/aggregate"
	"github.com/reckon-billing/reckon/internal/clickhouse/column"
	"github.com/reckon-billing/reckon/internal/clickhouse/scope"
	"github.com/reckon-billing/reckon/schemas"
)

// Events streams copies as [aggregate.Source] says: lifecycle events of
// [From, To) or usage of [From, UsageTo).
//
// The table is sorted by UTC month first (schemas/migrations/0002_events.sql), so
// the rows of one such month come in the order of the fold as they lie, without
// sorting; a billing month lies in two or three. Their streams are merged here. Of
// a scope that has events in more than a few months the server sorts, on disk
// when it must.
func (s *Store) Events(ctx context.Context, of aggregate.Scope, what aggregate.What) (schemas.Cursor[aggregate.Rows], error) {
	if only := of.Only; only != nil {
		return s.OneResource(only.AccountID, only.ResourceID).Events(ctx, of, what)
	}
	to, usage := of.To, what == aggregate.Usage
	if usage {
		to = of.UsageTo
	}
	args := append(scope.Bind(&of), scope.BindTime("from", of.From), scope.BindTime("to", to), column.Bind("usage", usage))
	months, err := s.monthsOf(ctx, scope.DrawnIn(of.From), scope.DrawnIn(to), args)
	if err != nil {
		return nil, err
	}
	q := &eventQuery{args: args, months: months, usage: usage, named: !usage || of.Named, cutoff: newEnds(of.Cutoff)}
	if len(months) > maxMonths {
		c := &copies{}
		one, err := c.open(ctx, s, "events", eventSettings(1), args, q.cutoff, true, true, true)
		if err != nil {
			return nil, errors.Join(err, c.Close())
		}
		c.months = []ordered{one}
		return c, nil
	}
	for range laneAttempts {
		l, err := s.lanesOf(ctx, &of, months, usage)
		if err != nil {
			return nil, err
		}
		if c, err := s.openLanes(ctx, q, &l); c != nil || err != nil {
			return c, err
		}
	}
	return s.openMonths(ctx, q, &lanes{})
}

// eventQuery asks for events of some UTC months.
type eventQuery struct {
	args         []any
	months       []uint32
	usage, named bool
	cutoff       ends
}

// openMonths opens the streams of the months, by lanes where there are several.
func (s *Store) openMonths(ctx context.Context, q *eventQuery, l *lanes) (c *copies, err error) {
	c = &copies{}
	defer func() {
		if err != nil {
			c, err = nil, errors.Join(err, c.Close())
		}
	}()
	streams := 0
	for _, month := range q.months {
		if !l.empty[month] {
			streams += max(1, len(l.byMonth[month]))
		}
	}
	for _, month := range q.months {
		if l.empty[month] {
			continue
		}
		own := l.byMonth[month]
		if own == nil {
			own = []lane{nil}
		}
		// Events of one time are told apart by source and id.
		named := q.named || len(own) > 1
		name := "lifecycle_of_month"
		if q.usage {
			name = "usage_of_month"
			if named {
				name = "named_usage_of_month"
			}
		}
		m := &merged{usage: q.usage}
		for _, parts := range own {
			settings := eventSettings(streams)
			if len(parts) == 1 {
				settings["max_threads"] = 1 // more would each read some of it, to be merged
			}
			bound := append(q.args[:len(q.args):len(q.args)], bindLane(month, parts, l.server)...)
			e, err := c.open(ctx, s, name, settings, bound, q.cutoff, !q.usage, q.usage, named)
			if err != nil {
				return c, err
			}
			m.live = append(m.live, e)
		}
		if len(m.live) == 1 {
			c.months = append(c.months, m.live[0])
		} else {
			c.months = append(c.months, m)
		}
	}
	return c, nil
}

// maxMonths is how many months are read side by side.
const maxMonths = 4

// eventSettings are those of a query of events, when so many run side by side.
func eventSettings(streams int) column.Settings {
	return column.Settings{
		"max_block_size": max(leastBlock, blockRows/max(1, streams)),
		// Without, a condition on toYYYYMM(time) is rewritten as one on time, and
		// the server no longer sees that the rows lie in order.
		"optimize_time_filter_with_preimage": 0,
	}
}

// blockRows is the number of rows in a block of all streams together: big enough
// to cost little a row, small enough for some megabytes.
const (
	blockRows  = 32768
	leastBlock = 8192
)

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
	err := s.db.Each(ctx, "event_months", []any{&month}, func() error {
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

// copies merges months, whose times do not overlap, in the order of their times: whole
// stretches of columns, for the reason that [merged] gives.
type copies struct {
	streams []*eventStream
	months  []ordered
	// live are those that stand at rows, in the order of their times; lead is the
	// place of the one whose rows were handed out last, if started.
	live    []ordered
	lead    int
	started bool
	err     error

	rows aggregate.Rows
}

// open adds a stream.
func (c *copies) open(ctx context.Context, s *Store, name string, settings column.Settings, args []any, cutoff ends, lifecycle, usage, named bool) (*eventStream, error) {
	rows, err := column.OpenStream(ctx, s.db, name, settings, args, newEventBlock(lifecycle, usage, named), newEventBlock(lifecycle, usage, named))
	if err != nil {
		return nil, err
	}
	known := newKnownData()
	if len(c.streams) > 0 {
		known = c.streams[0].known
	}
	e := &eventStream{Stream: rows, cutoff: cutoff, known: known}
	c.streams = append(c.streams, e)
	return e, nil
}

// Next is as [schemas.Cursor] says.
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
		for _, m := range c.months {
			if err := m.advance(); err == nil {
				c.live = append(c.live, m)
			} else if !errors.Is(err, io.EOF) {
				return err
			}
		}
		return c.choose()
	}
	lead := c.live[c.lead]
	account, resource := lead.at()
	if err := lead.advance(); errors.Is(err, io.EOF) {
		c.live = append(c.live[:c.lead:c.lead], c.live[c.lead+1:]...)
		return c.choose()
	} else if err != nil {
		return err
	}
	if nextAccount, next := lead.at(); nextAccount == account && next == resource {
		return nil // no earlier month has any of it left
	}
	return c.choose()
}

// choose finds the month with the lowest account and resource; of equal ones the
// earlier has the earlier events.
func (c *copies) choose() error {
	if len(c.live) == 0 {
		return io.EOF
	}
	c.lead = 0
	account, resource := c.live[0].at()
	for i, m := range c.live[1:] {
		if a, r := m.at(); a < account || a == account && r < resource {
			c.lead, account, resource = i+1, a, r
		}
	}
	return nil
}

// Close ends the queries wherever they are.
func (c *copies) Close() error {
	for _, e := range c.streams {
		e.Close()
	}
	c.err = errClosed
	return nil
}

var errClosed = errors.New("a cursor is read after its end")
