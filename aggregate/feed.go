package aggregate

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/reckon-billing/reckon/aggregate/fold"
	"github.com/reckon-billing/reckon/schemas"
)

// feed reads the three streams of one portion side by side, and hands them to the fold
// of one resource after the other.
type feed struct {
	deriver *Deriver
	plan    schemas.Derivation
	portion portion
	fold    *fold.Fold

	snapshots schemas.Sorted[schemas.Snapshot]
	lifecycle schemas.Sorted[counted]
	usage     schemas.Sorted[counted]
	events    [2]schemas.Cursor[Rows]
	// rank and strays say which copy counts.
	rank   ranking
	strays schemas.StrayWinner
	// row is the event that is being folded.
	row Copy

	// key is the next resource's; account is the one that the streams stand in.
	key     schemas.ResourceKey
	account *fold.Account
}

// feed is that of a portion, still to be opened.
func (d *Deriver) feed(plan schemas.Derivation, p portion) *feed {
	w := fold.Window{
		From: p.scope.From, To: p.scope.UsageTo, Months: p.months, Zone: d.Zone, Next: plan.Last.Next(),
		Replace: p.replaces, Anomalies: plan.Anomalies, Named: d.Named, NameLevels: d.NameLevels,
	}
	if since := plan.Since(); p.settles && len(plan.Earlier) > 0 {
		w.Seen = &since
	}
	f := &feed{deriver: d, plan: plan, portion: p, fold: fold.Open(w)}
	f.portion.scope.Named = f.fold.Watched()
	return f
}

// open opens the streams side by side. What was opened before an error is there to
// be closed.
func (f *feed) open(ctx context.Context) error {
	source, scope := f.deriver.Source, f.portion.scope
	var (
		all  sync.WaitGroup
		errs [3]error
	)
	all.Go(func() {
		snapshots, err := source.Snapshots(ctx, scope)
		if err != nil {
			errs[2] = fmt.Errorf("read the states at the start of %s: %w", scope.Month, err)
			return
		}
		f.snapshots.Cursor = snapshots
	})
	for what := range f.events {
		all.Go(func() {
			events, err := source.Events(ctx, scope, What(what))
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

// begin reads the first rows of the streams.
func (f *feed) begin(rank ranking, strays schemas.StrayWinner) error {
	f.rank, f.strays = rank, strays
	f.snapshots.Of = func(s *schemas.Snapshot) schemas.ResourceKey {
		return schemas.ResourceKey{AccountID: s.AccountID, ResourceID: s.ResourceID}
	}
	for what, counted := range []*schemas.Sorted[counted]{Lifecycle: &f.lifecycle, Usage: &f.usage} {
		counted.Cursor = &counting{Cursor: f.events[what], ranking: rank, strays: strays}
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
func (f *feed) next(ctx context.Context, yield func(schemas.Derived) error) error {
	d, err := f.derive(ctx)
	if err != nil {
		return fmt.Errorf("account %q, resource %q: %w", f.key.AccountID, f.key.ResourceID, err)
	}
	if d.Err == nil && len(d.Periods) == 0 && d.Snapshot == nil && !d.FullHistory && !d.Rederived {
		return nil
	}
	return yield(d)
}

// derive folds what the streams have of the resource, unless its snapshot counts as
// absent.
func (f *feed) derive(ctx context.Context) (schemas.Derived, error) {
	if f.account == nil || f.account.ID() != f.key.AccountID {
		f.account = f.fold.Account(f.key.AccountID)
	}
	if f.key.ResourceID == "" {
		return f.deriveAccount(ctx)
	}
	snapshot, err := f.snapshot()
	if err != nil {
		return schemas.Derived{}, err
	}
	r, err := f.account.Resource(f.key.ResourceID, snapshot)
	if errors.Is(err, fold.ErrAbsent) {
		return f.rederive(ctx)
	}
	if err != nil {
		return schemas.Derived{}, err
	}
	if err = f.hand(r); errors.Is(err, fold.ErrAbsent) {
		return f.rederive(ctx)
	}
	if err != nil {
		return schemas.Derived{}, err
	}
	d := r.Derived()
	d.FullHistory = f.portion.settles
	return d, nil
}

// snapshot is the resource's own, nil for none.
func (f *feed) snapshot() (*schemas.Snapshot, error) {
	if !f.snapshots.At(f.key) {
		return nil, nil
	}
	s := *f.snapshots.Row
	return &s, f.snapshots.Advance()
}

// deriveAccount folds the account's own events; its rows come before those of its
// resources.
func (f *feed) deriveAccount(ctx context.Context) (schemas.Derived, error) {
	for f.snapshots.At(f.key) {
		err := f.account.Start(f.snapshots.Row)
		if next := f.snapshots.Advance(); next != nil {
			return schemas.Derived{}, next
		}
		if errors.Is(err, fold.ErrAbsent) {
			return f.rederive(ctx)
		}
		if err != nil {
			return schemas.Derived{}, err
		}
	}
	for f.lifecycle.At(f.key) {
		rows, c := f.lifecycle.Row, &f.row
		for _, i := range rows.which {
			if rows.Of.Fill(int(i), c); c.Err != nil {
				f.account.Fail(c.Err)
				continue
			}
			f.account.Apply(&c.Event, c.Position)
		}
		if err := f.lifecycle.Advance(); err != nil {
			return schemas.Derived{}, err
		}
	}
	return f.account.Derived(), nil
}

// hand hands a resource its events. A broken row breaks the account, and the streams
// are drained all the same.
func (f *feed) hand(r *fold.Resource) error {
	for f.lifecycle.At(f.key) {
		rows, c := f.lifecycle.Row, &f.row
		for _, i := range rows.which {
			kind, data := rows.Of.Says(int(i))
			if r.Repeats(rows.Times[i], kind, data) {
				continue
			}
			if rows.Of.Fill(int(i), c); c.Err != nil {
				r.Fail(c.Err)
				continue
			}
			r.Apply(&c.Event, c.Position, data)
		}
		if err := f.lifecycle.Advance(); err != nil {
			return err
		}
	}
	if err := r.Cut(); err != nil {
		return err
	}
	for f.usage.At(f.key) {
		if err := f.place(r, f.usage.Row); err != nil {
			return err
		}
		if err := f.usage.Advance(); err != nil {
			return err
		}
	}
	return nil
}

// place hands a resource rows of its usage.
func (f *feed) place(r *fold.Resource, rows *counted) error {
	if rows.Err != nil {
		r.Fail(rows.Err)
	}
	watched, c := f.fold.Watched(), &f.row
	for _, i := range rows.which {
		placed := false
		if !f.fold.NameLevels {
			placed = r.Use(rows.Items[i], rows.Values[i], rows.Times[i])
		}
		if !watched && (placed || f.fold.Anomalies == nil) {
			continue
		}
		rows.Of.Fill(int(i), c)
		if f.fold.NameLevels {
			placed = r.UseOf(&c.Event, c.Position, rows.Values[i])
		}
		if err := r.Watch(&c.Event, c.Position, placed); err != nil {
			return err
		}
	}
	return nil
}
