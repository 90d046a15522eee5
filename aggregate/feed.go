package aggregate

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/reckon-billing/reckon/schemas"
)

// feed reads the three streams of one scope side by side and folds one resource
// after the other.
type feed struct {
	deriver  *Deriver
	plan     schemas.Derivation
	scope    Scope
	calendar calendar
	// from and to are the start and the end of what is folded, in milliseconds.
	from, to int64

	snapshots schemas.Sorted[schemas.Snapshot]
	lifecycle schemas.Sorted[counted]
	usage     schemas.Sorted[counted]
	events    [2]schemas.Cursor[Rows]
	// row is the event that is being folded.
	row Copy
	// watched tells that the usage of this scope can be late or anomalous, and who
	// it is has to be known.
	watched bool

	// key is the next resource's; modes are those of the account that the streams
	// stand in.
	key   schemas.ResourceKey
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
		all  sync.WaitGroup
		errs [3]error
	)
	all.Go(func() {
		snapshots, err := source.Snapshots(ctx, f.scope)
		if err != nil {
			errs[2] = fmt.Errorf("read the states at the start of %s: %w", f.scope.Month, err)
			return
		}
		f.snapshots.Cursor = snapshots
	})
	for what := range f.events {
		all.Go(func() {
			events, err := source.Events(ctx, f.scope, What(what))
			if err != nil {
				errs[what] = fmt.Errorf("read events: %w", err)
				return
			}
			f.events[what] = events
		})
	}
	all.Wait()
	return errors.Join(errs[:]...)
}

// begin reads the first rows of the streams. Of copies that lie apart those count that
// won.
func (f *feed) begin(rank ranking, won schemas.StrayWinner) error {
	f.snapshots.Of = func(s *schemas.Snapshot) schemas.ResourceKey {
		return schemas.ResourceKey{AccountID: s.AccountID, ResourceID: s.ResourceID}
	}
	for what, counted := range []*schemas.Sorted[counted]{Lifecycle: &f.lifecycle, Usage: &f.usage} {
		counted.Cursor = &counting{Cursor: f.events[what], ranking: rank, won: won}
		counted.Of = keyOf
	}
	return errors.Join(f.snapshots.Advance(), f.lifecycle.Advance(), f.usage.Advance())
}

func keyOf(c *counted) schemas.ResourceKey {
	return schemas.ResourceKey{AccountID: c.AccountID, ResourceID: c.ResourceID}
}

// close ends the streams that were opened. Reading is over: every error that matters
// came from Next.
func (f *feed) close() {
	if f.snapshots.Cursor != nil {
		_ = f.snapshots.Close()
	}
	for _, c := range f.events {
		if c != nil {
			_ = c.Close()
		}
	}
}

// peek finds the key of the next resource; false at the end.
func (f *feed) peek() (more bool) {
	f.key, more = schemas.Lowest(&f.snapshots, &f.lifecycle, &f.usage)
	return more
}

// next folds the resource (or the account itself) that peek found.
func (f *feed) next(yield func(schemas.Derived) error) error {
	if f.modes.account != f.key.AccountID {
		f.modes = modes{account: f.key.AccountID}
	}
	var (
		r   schemas.Derived
		err error
	)
	if f.key.ResourceID == "" {
		r, err = f.account()
	} else {
		r, err = f.resource()
	}
	if err != nil {
		return fmt.Errorf("account %q, resource %q: %w", f.key.AccountID, f.key.ResourceID, err)
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
	r := schemas.Derived{AccountID: k.AccountID}
	for f.snapshots.At(k) {
		f.modes.start = schemas.Mode(f.snapshots.Row.State)
		if err := f.snapshots.Advance(); err != nil {
			return r, err
		}
	}
	last := f.modes.start
	for f.lifecycle.At(k) {
		rows, c := f.lifecycle.Row, &f.row
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
		if err := f.lifecycle.Advance(); err != nil {
			return r, err
		}
	}
	r.Err = f.modes.err
	if last != "" {
		r.Snapshot = &schemas.Snapshot{AccountID: k.AccountID, At: f.plan.Last.Next(), State: string(last)}
	}
	return r, nil
}

// resource folds one resource.
func (f *feed) resource() (schemas.Derived, error) {
	k := f.key
	r := schemas.Derived{AccountID: k.AccountID, ResourceID: k.ResourceID, FullHistory: f.scope.Month.IsZero(), Err: f.modes.err}
	var edge *schemas.Snapshot
	if f.snapshots.At(k) {
		e := *f.snapshots.Row
		edge = &e
		if err := f.snapshots.Advance(); err != nil {
			return r, err
		}
	}
	res := resourceFold{feed: f, result: &r, edge: edge}
	if err := res.run(); err != nil {
		return r, err
	}
	return r, nil
}
