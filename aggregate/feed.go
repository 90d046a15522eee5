package aggregate

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/reckon-billing/reckon/schemas"
)

// key is whose rows a stream stands at.
type key struct{ account, resource string }

func (k key) less(o key) bool {
	return k.account < o.account || (k.account == o.account && k.resource < o.resource)
}

// head is a stream with its next row in sight.
type head[T any] struct {
	next func() (*T, error)
	of   func(*T) key
	row  *T
	key  key
}

// advance reads the next row; row is nil after the last.
func (h *head[T]) advance() error {
	row, err := h.next()
	if errors.Is(err, io.EOF) {
		h.row = nil
		return nil
	}
	if err != nil {
		return err
	}
	h.row, h.key = row, h.of(row)
	return nil
}

// at tells whether the next row is of the key.
func (h *head[T]) at(k key) bool { return h.row != nil && h.key == k }

// feed reads the three streams of one scope side by side and folds one resource
// after the other.
type feed struct {
	deriver  *Deriver
	plan     schemas.Derivation
	scope    Scope
	calendar calendar
	// from and to are the start and the end of what is folded, in milliseconds.
	from, to int64

	edges     head[schemas.Snapshot]
	lifecycle head[counted]
	usage     head[counted]
	counting  [2]counting
	closers   []io.Closer
	// row is the event that is being folded.
	row Copy
	// watched tells that the usage of this scope can be late or anomalous, and who
	// it is has to be known.
	watched bool

	// key is the next resource's; modes are those of the account that the streams
	// stand in.
	key   key
	modes modes
}

// modes are an account's mode at the beginning and its changes since, in order.
type modes struct {
	account string
	start   schemas.Mode
	changes []modeChange
	late    lateEvents
	err     error
}

type modeChange struct {
	at   time.Time
	mode schemas.Mode
}

// at is the mode of the last change whose time is not later; an account without
// any is prepaid (contract 1, 2).
func (m *modes) at(t time.Time) schemas.Mode {
	mode := m.start
	for _, c := range m.changes {
		if c.at.After(t) {
			break
		}
		mode = c.mode
	}
	if mode == "" {
		return schemas.Prepaid
	}
	return mode
}

// feed is that of a portion, still to be opened.
func (d *Deriver) feed(plan schemas.Derivation, p portion) *feed {
	f := &feed{
		deriver: d, plan: plan, scope: p.scope, calendar: p.billed,
		from: p.scope.From.UnixMilli(), to: p.scope.UsageTo.UnixMilli(),
	}
	f.watched = f.noticesLate() || d.Anomalies != nil
	f.scope.Named = f.watched
	return f
}

// open opens the streams side by side. What was opened before an error is there to
// be closed.
func (f *feed) open(ctx context.Context) error {
	source := f.deriver.Source
	var (
		all    sync.WaitGroup
		errs   [3]error
		edges  Cursor[schemas.Snapshot]
		events [2]Cursor[Rows]
	)
	all.Go(func() {
		var err error
		if edges, err = source.Snapshots(ctx, f.scope); err != nil {
			errs[2] = fmt.Errorf("read the states at the start of %s: %w", f.scope.Month, err)
		}
	})
	for what := range events {
		all.Go(func() {
			var err error
			if events[what], err = source.Events(ctx, f.scope, What(what)); err != nil {
				errs[what] = fmt.Errorf("read events: %w", err)
			}
		})
	}
	all.Wait()
	if errs[2] == nil {
		f.closers = append(f.closers, edges)
		f.edges = head[schemas.Snapshot]{next: edges.Next, of: func(e *schemas.Snapshot) key { return key{e.AccountID, e.ResourceID} }}
	}
	for what := range events {
		if errs[what] == nil {
			f.closers = append(f.closers, events[what])
			f.counting[what].copies = events[what]
		}
	}
	return errors.Join(errs[:]...)
}

// begin reads the first rows of the streams. Of copies that lie apart those count that
// won.
func (f *feed) begin(rank ranking, won schemas.StrayWinner) error {
	for what, h := range []*head[counted]{Lifecycle: &f.lifecycle, Usage: &f.usage} {
		c := &f.counting[what]
		c.ranking, c.won = rank, won
		*h = head[counted]{next: c.Next, of: func(c *counted) key { return key{c.AccountID, c.ResourceID} }}
	}
	return errors.Join(f.edges.advance(), f.lifecycle.advance(), f.usage.advance())
}

func (f *feed) close() {
	for _, c := range f.closers {
		_ = c.Close() // reading is over: every error that matters came from Next
	}
}

// peek finds the key of the next resource; false at the end.
func (f *feed) peek() bool {
	found := false
	consider := func(has bool, k key) {
		if has && (!found || k.less(f.key)) {
			f.key, found = k, true
		}
	}
	consider(f.edges.row != nil, f.edges.key)
	consider(f.lifecycle.row != nil, f.lifecycle.key)
	consider(f.usage.row != nil, f.usage.key)
	return found
}

// next folds the resource (or the account itself) that peek found.
func (f *feed) next(yield func(schemas.Derived) error) error {
	if f.modes.account != f.key.account {
		f.modes = modes{account: f.key.account}
	}
	var (
		r   schemas.Derived
		err error
	)
	if f.key.resource == "" {
		r, err = f.account()
	} else {
		r, err = f.resource()
	}
	if err != nil {
		return fmt.Errorf("account %q, resource %q: %w", f.key.account, f.key.resource, err)
	}
	if r.Err == nil && len(r.Periods) == 0 && r.Snapshot == nil && !r.FullHistory {
		return nil
	}
	return yield(r)
}

// account reads the mode changes of an account; its rows come before those of
// its resources.
func (f *feed) account() (schemas.Derived, error) {
	k := f.key
	r := schemas.Derived{AccountID: k.account}
	for f.edges.at(k) {
		f.modes.start = schemas.Mode(f.edges.row.State)
		if err := f.edges.advance(); err != nil {
			return r, err
		}
	}
	last := f.modes.start
	for f.lifecycle.at(k) {
		rows, c := f.lifecycle.row, &f.row
		for _, i := range rows.which {
			rows.Of.Fill(int(i), c)
			if c.Err != nil {
				f.modes.err = c.Err
				continue
			}
			f.modes.changes = append(f.modes.changes, modeChange{c.Time, c.Mode})
			if f.isLate(c) {
				f.modes.late.add(f, c)
			}
			if c.Time.UnixMilli() < f.to {
				last = c.Mode
			}
		}
		if err := f.lifecycle.advance(); err != nil {
			return r, err
		}
	}
	r.Err = f.modes.err
	if last != "" {
		r.Snapshot = &schemas.Snapshot{AccountID: k.account, At: f.plan.Last.Next(), State: string(last)}
	}
	return r, nil
}

// resource folds one resource.
func (f *feed) resource() (schemas.Derived, error) {
	k := f.key
	r := schemas.Derived{AccountID: k.account, ResourceID: k.resource, FullHistory: f.scope.Month.IsZero(), Err: f.modes.err}
	var edge *schemas.Snapshot
	if f.edges.at(k) {
		e := *f.edges.row
		edge = &e
		if err := f.edges.advance(); err != nil {
			return r, err
		}
	}
	res := resourceFold{feed: f, result: &r, edge: edge}
	if err := res.run(); err != nil {
		return r, err
	}
	return r, nil
}
