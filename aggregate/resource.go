package aggregate

import (
	"fmt"

	"github.com/reckon-billing/reckon/schemas"
)

// resourceFold folds the rows of one resource, which the feed stands at.
type resourceFold struct {
	feed   *feed
	result *schemas.Derived
	// edge is where it begins, nil for none; start is the state there.
	edge  *schemas.Snapshot
	start state

	folder *folder
	// At the end of the last month: the state there, its life, and whether its
	// last created or recovered was folded here (not before the edge).
	end       state
	endLife   *life
	endBefore *life
	endHere   bool
	ended     bool
	// changes counts the lifecycle events before the end: without any, an old
	// tombstone stays.
	changes int
	// said is the data of the event before, if that was a resize in force.
	said  string
	usage int64
	late  lateEvents
}

// run reads top to bottom: the state at the edge, the lifecycle, the minutes,
// the usage, the periods, the next edge. A broken row breaks the account, and
// the streams are drained all the same.
func (r *resourceFold) run() error {
	r.decodeStart()
	r.folder = newFolder(r.start, r.feed.from)
	if err := r.fold(); err != nil {
		return err
	}
	spans := merge(cut(r.folder.spans, func(s *span) *interval { return &s.interval }))
	p := &placer{
		stretches: cut(r.folder.stretches, func(s *stretch) *interval { return &s.interval }),
		pieces:    r.feed.calendar.clip(spans),
	}
	if r.end.Before != nil && r.endHere {
		p.snapOf, p.snapFrom = r.endBefore, minuteOf(r.end.Since)
	}
	if err := r.reportAnomalies(); err != nil {
		return err
	}
	if err := r.placeUsage(p); err != nil {
		return err
	}
	if r.result.Err != nil {
		return nil //nolint:nilerr // it breaks the account, not the derivation
	}
	f := r.feed
	periods, err := p.periods(r.result.AccountID, r.result.ResourceID, r.used())
	if err != nil {
		r.fail(err)
		return nil
	}
	r.result.Periods, r.result.Late = periods, r.late.merge(f.modes.late)
	r.result.Snapshot = r.nextEdge(p)
	return nil
}

// fail breaks the account by the first thing that was wrong.
func (r *resourceFold) fail(err error) {
	if r.result.Err == nil {
		r.result.Err = fmt.Errorf("resource %q: %w", r.result.ResourceID, err)
	}
}

func (r *resourceFold) decodeStart() {
	if r.edge == nil {
		return
	}
	var err error
	if r.start, err = decodeState(r.edge.State); err != nil {
		r.fail(err)
	}
}

// used is what months before used of the balances at the edge.
func (r *resourceFold) used() usedBalances {
	var all usedBalances
	if b := r.start.Balance; b != nil {
		all = append(all, usedBalance{b.Source, b.ID, r.edge.CouponUsed})
	}
	if r.start.Before != nil && r.start.Before.Balance != nil {
		b := r.start.Before.Balance
		all = append(all, usedBalance{b.Source, b.ID, r.edge.UsedBefore})
	}
	return all
}

// fold applies the lifecycle events, and keeps the state at the end of the last
// month on the way.
func (r *resourceFold) fold() error {
	f := r.feed
	for f.lifecycle.At(f.key) {
		rows := f.lifecycle.Row
		for _, i := range rows.which {
			if rows.Times[i] >= f.to {
				r.atEnd()
			} else {
				r.changes++
			}
			if kind, data := rows.Of.Says(int(i)); kind != schemas.ResourceResized || data != r.said || f.noticesLate() {
				rows.Of.Fill(int(i), &f.row)
				r.apply(&f.row, data)
			}
		}
		if err := f.lifecycle.Advance(); err != nil {
			return err
		}
	}
	r.atEnd()
	return nil
}

// apply folds one event, and remembers what it says if saying it again changes
// nothing: most events of a resource that is measured often do.
func (r *resourceFold) apply(c *Copy, data string) {
	f := r.feed
	if c.Type == schemas.ResourceProvisionFailed {
		r.late.reach(f, c)
	}
	if f.isLate(c) {
		r.late.add(f, c)
	}
	if r.said = ""; c.Err != nil {
		r.fail(c.Err)
		return
	}
	r.folder.apply(c, f.modes.at(c.Time))
	if c.Type == schemas.ResourceResized && r.folder.alive() {
		r.said = data
	}
}

func (r *resourceFold) atEnd() {
	if r.ended {
		return
	}
	r.ended = true
	r.end, r.endLife, r.endBefore = r.folder.state, r.folder.life, r.folder.before
	r.endHere = r.end.Phase != unknown && r.end.Since.UnixMilli() >= r.feed.from
}

func (r *resourceFold) reportAnomalies() error {
	if r.feed.deriver.Anomalies == nil {
		return nil
	}
	for _, a := range r.folder.anomalies {
		if err := r.feed.deriver.Anomalies(a); err != nil {
			return err
		}
	}
	return nil
}

// placeUsage places the resource's usage, row by row as it is read.
func (r *resourceFold) placeUsage(p *placer) error {
	f := r.feed
	for f.usage.At(f.key) {
		rows := f.usage.Row
		if rows.Err != nil {
			r.fail(rows.Err)
		}
		for _, i := range rows.which {
			placed := p.place(rows.Items[i], rows.Values[i], rows.Times[i]/msPerMinute)
			if f.watched {
				if err := r.watch(rows, int(i), placed); err != nil {
					return err
				}
			}
		}
		r.usage += int64(len(rows.which))
		if err := f.usage.Advance(); err != nil {
			return err
		}
	}
	p.end()
	return nil
}

// watch notes a usage event that is late, and tells of one without a period.
func (r *resourceFold) watch(rows *counted, i int, placed bool) error {
	f, c := r.feed, &r.feed.row
	rows.Of.Fill(i, c)
	if f.isLate(c) {
		r.late.add(f, c)
	}
	if placed || f.deriver.Anomalies == nil {
		return nil
	}
	return f.deriver.Anomalies(schemas.Anomaly{
		AccountID: c.AccountID, ResourceID: c.ResourceID, Event: refOf(c),
		Reason: schemas.UnmatchedUsage, Item: c.Item, Value: c.Value,
	})
}

// nextEdge is the state at the end of the last month, for the next one; nil when
// there is nothing to remember.
func (r *resourceFold) nextEdge(p *placer) *schemas.Snapshot {
	e := &schemas.Snapshot{
		AccountID: r.result.AccountID, ResourceID: r.result.ResourceID,
		At: r.feed.plan.Last.Next(), Deleted: !r.end.alive(),
	}
	if r.end.Phase == unknown {
		// Derived as a whole it may have an edge from before that must go.
		if !r.result.FullHistory || len(r.feed.plan.Earlier) == 0 {
			return nil
		}
		return e
	}
	if r.edge != nil && r.edge.Deleted && e.Deleted && r.changes == 0 {
		return nil // the tombstone that is there says the same
	}
	if r.edge != nil && r.changes == 0 && r.usage == 0 && r.start.Before == nil {
		e.State = r.edge.State
		r.exportBalance(e)
		return e
	}
	r.end.Levels = r.endLife.levels.export()
	if p.snapped != nil && r.end.Before != nil {
		before := *r.end.Before
		before.Levels = p.snapped.export()
		r.end.Before = &before
	}
	r.end.forget(r.feed.scope.UsageTo)
	e.State = r.end.encode()
	r.exportBalance(e)
	return e
}

func (r *resourceFold) exportBalance(e *schemas.Snapshot) {
	used := r.used()
	export := func(b *balance) *schemas.CouponBalance {
		if b == nil {
			return nil
		}
		out := b.export()
		used.fill(out)
		return out
	}
	e.Balance = export(r.end.Balance)
	if r.end.Before != nil {
		e.Before = export(r.end.Before.Balance)
	}
}
