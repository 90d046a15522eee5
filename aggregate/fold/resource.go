package fold

import (
	"fmt"

	"github.com/reckon-billing/reckon/schemas"
)

// Resource is the fold of one resource's events: first those of its lifecycle, then
// Cut, then its usage, each in order, and Derived at the end.
type Resource struct {
	fold    *Fold
	account *Account
	id      string
	// snapshot is where it begins, nil for none; start is the state there.
	snapshot  *schemas.Snapshot
	start     state
	startLife *life

	folder folder
	placer placer
	// At the end of the last month: the state there, its life, and whether it is
	// alive by a created or recovered that was folded here (not before the snapshot).
	end       state
	endLife   *life
	endBefore *life
	endHere   bool
	// endHolds tells whether endBefore holds the minute of that event, should it become
	// void, and endItems what it pays for then.
	endHolds bool
	endItems []schemas.Item
	ended    bool
	// changes counts the lifecycle events before the end: without any, an old
	// tombstone stays.
	changes int
	// said is the data of the event before, if that was a resize in force.
	said string
	// used tells that there was usage.
	used  bool
	lates lateEvents
	err   error
}

// Resource begins the fold of one of the account's resources, from its snapshot or,
// with nil, from nothing: [ErrAbsent] for a snapshot that counts as absent.
func (a *Account) Resource(id string, snapshot *schemas.Snapshot) (*Resource, error) {
	r := &Resource{fold: a.fold, account: a, id: id, snapshot: snapshot, err: a.err}
	if snapshot != nil {
		if err := r.start.decode(snapshot.State); err != nil {
			return nil, err
		}
	}
	r.folder.startFrom(&r.start, a.fold.from)
	r.startLife = r.folder.life
	return r, nil
}

// Fail breaks the account by the first thing that was wrong.
func (r *Resource) Fail(err error) {
	if r.err == nil {
		r.err = fmt.Errorf("resource %q: %w", r.id, err)
	}
}

// Repeats takes note of a lifecycle event that only says again what the one before it
// said, and has not to be applied: most events of a resource that is measured often do.
// The time is in milliseconds, data is whatever is equal when events say the same, empty
// where that is not known.
func (r *Resource) Repeats(time int64, kind schemas.Type, data string) bool {
	if kind != schemas.ResourceResized || data != r.said || data == "" || r.fold.Seen != nil {
		return false
	}
	r.pass(time)
	return true
}

// Apply folds the next lifecycle event, and remembers what it says if saying it again
// changes nothing.
func (r *Resource) Apply(e *schemas.Event, position schemas.Position, data string) {
	ref := refOf(e, position)
	r.pass(e.Time.UnixMilli())
	if e.Type == schemas.ResourceProvisionFailed {
		r.lates.reach(e.Time, r.fold.Zone)
	}
	if r.fold.late(position) {
		r.lates.add(e, ref, r.fold.Zone)
	}
	r.folder.apply(e, ref, r.account.mode(e.Time))
	if r.said = ""; e.Type == schemas.ResourceResized && r.folder.alive() {
		r.said = data
	}
}

// pass goes on to a lifecycle event's time: the state at the end of the last month is
// kept on the way.
func (r *Resource) pass(time int64) {
	if time < r.fold.to {
		r.changes++
		return
	}
	r.atEnd()
}

func (r *Resource) atEnd() {
	if r.ended {
		return
	}
	r.ended = true
	r.end, r.endLife, r.endBefore = r.folder.state, r.folder.life, r.folder.before
	r.endHere = r.end.alive() && r.end.Since.UnixMilli() >= r.fold.from
	if r.endHere {
		r.endItems, r.endHolds = r.folder.holds(r.endBefore)
	}
}

// Cut comes after the last lifecycle event: it cuts what was in force into minutes and
// months, and tells of the anomalies. It is [ErrAbsent] when the snapshot lacks the level
// of an item that is metered now.
func (r *Resource) Cut() error {
	r.atEnd()
	spans := merge(cut(r.folder.spans, func(s *span) *interval { return &s.interval }))
	r.placer = placer{
		stretches: cut(r.folder.stretches, func(s *stretch) *interval { return &s.interval }),
		pieces:    r.fold.calendar.clip(spans),
		end:       r.fold.to / msPerMinute,
	}
	if r.end.Before != nil && r.endHere {
		r.placer.before = &before{
			life: r.endBefore, from: minuteOf(r.end.Since), holds: r.endHolds, items: namesMetered(nil, r.endItems),
		}
	}
	if err := r.missesLevels(); err != nil {
		return err
	}
	if !r.tells() {
		return nil
	}
	for _, a := range r.folder.anomalies {
		if a.Event.Time.UnixMilli() >= r.fold.to {
			break // of a later month: it is read for what it makes void
		}
		if err := r.fold.Anomalies(a); err != nil {
			return err
		}
	}
	return nil
}

// tells tells whether anomalies are told of: what is told is so, whatever an event says
// that could not be read.
func (r *Resource) tells() bool { return r.fold.Anomalies != nil && r.err == nil }

// missesLevels is [ErrAbsent] when an item is metered that was not before, in a life that
// had values of items whose levels its snapshot left out: it may have been one of them.
func (r *Resource) missesLevels() error {
	if !r.start.LeftOut && (r.start.Before == nil || !r.start.Before.LeftOut) {
		return nil
	}
	var known map[string]struct{}
	if r.start.Phase == running {
		known = namesMetered(nil, r.start.Items)
	}
	misses := func(l *life, metered map[string]struct{}) error {
		for item := range metered {
			_, was := known[item]
			if was = was && l == r.startLife; !was && l.levels.leftOut && !l.levels.has(item) {
				return fmt.Errorf("%w: it lacks the level of item %q, which is metered now", ErrAbsent, item)
			}
		}
		return nil
	}
	for i := range r.placer.pieces {
		p := &r.placer.pieces[i]
		if p.from >= r.placer.end {
			break
		}
		if err := misses(p.life, namesMetered(nil, p.items)); err != nil {
			return err
		}
	}
	if b := r.placer.before; b != nil {
		return misses(b.life, b.items)
	}
	return nil
}

// Use counts the next usage value at its time in milliseconds. It returns false for one
// without a period that meters its item.
func (r *Resource) Use(item string, value Units, time int64) bool {
	r.used = true
	return r.placer.place(item, value, time/msPerMinute)
}

// UseOf is Use of an event that is named where its level holds.
func (r *Resource) UseOf(e *schemas.Event, position schemas.Position, value Units) bool {
	r.placer.by = &schemas.Level{EventRef: refOf(e, position), Value: e.Value}
	return r.Use(e.Item, value, e.Time.UnixMilli())
}

// Watch notes a usage event that Use has counted, if it is late, and tells of one
// without a period. Where the fold is not Watched it has to be called of those alone.
func (r *Resource) Watch(e *schemas.Event, position schemas.Position, placed bool) error {
	if r.fold.late(position) {
		r.lates.add(e, refOf(e, position), r.fold.Zone)
	}
	if placed || !r.tells() {
		return nil
	}
	return r.fold.Anomalies(schemas.Anomaly{
		AccountID: e.AccountID, ResourceID: e.ResourceID, Event: refOf(e, position),
		Reason: schemas.UnmatchedUsage, Item: e.Item, Value: e.Value,
	})
}

// Derived is what the resource's events come to.
func (r *Resource) Derived() schemas.Derived {
	d := schemas.Derived{AccountID: r.account.id, ResourceID: r.id}
	r.placer.finish()
	if r.err == nil {
		periods, err := r.placer.periods(r.account.id, r.id, r.usedBefore())
		if err == nil {
			d.Periods, d.Late, d.Snapshot = periods, r.lates.merge(r.account.lates), r.nextSnapshot()
			return d
		}
		r.Fail(err)
	}
	d.Err = r.err
	return d
}
