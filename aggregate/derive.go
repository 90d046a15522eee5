package aggregate

import (
	"context"
	"fmt"
	"time"

	"github.com/reckon-billing/reckon/schemas"
)

// Plan is one derivation: which months, over which part of the log.
type Plan struct {
	Run schemas.Run
	// Earlier are the runs before it, by number ascending.
	Earlier []schemas.Run
	// First is billing's first month, Last the month derived up to.
	First, Last schemas.Month
	// New tells that Last is derived for every resource, not only for those that
	// the run marked as touched by late events.
	New bool
	// Whole derives every resource from all its events, as if nothing had been
	// sealed yet.
	Whole bool
	// Accounts restricts to these, nil for all; Except leaves some out.
	Accounts, Except []string
}

// Resource is what the events of one resource come to.
type Resource struct {
	AccountID, ResourceID string
	// Periods ascend by start and are clipped to months: those of Plan.Last or,
	// when Whole, of every month from Plan.First on.
	Periods []schemas.Period
	// Edge is the state after Plan.Last; nil when it is the one already stored.
	Edge  *schemas.Edge
	Whole bool
	// Late are the events stored since the run before, of a resource derived as a
	// whole, by the first month that each can touch, ascending.
	Late []LateMonth
	// Err breaks the account.
	Err error
}

// LateMonth counts late events and names the first 100 of them, in event order.
type LateMonth struct {
	Month schemas.Month
	Count int64
	First []schemas.EventRef
}

// Deriver derives reconciliation periods from what is stored.
type Deriver struct {
	Source Source
	// Zone is the billing zone.
	Zone *time.Location
	// Anomalies is told of every anomaly; nil for not at all.
	Anomalies func(schemas.Anomaly) error
}

// Derive yields every resource that has periods, a new edge or an error, by
// (account id, resource id) ascending, each in bounded memory.
//
// In a first seal every resource is derived from all its events. Later, one that
// late events touched is derived from all its events, for every month; any other
// from the state at the edge of the new month and that month's events alone.
func (d *Deriver) Derive(ctx context.Context, plan Plan, yield func(Resource) error) error {
	feeds, err := d.open(ctx, plan)
	defer closeFeeds(feeds)
	if err != nil {
		return err
	}
	for {
		f := first(feeds)
		if f == nil {
			return nil
		}
		if err := f.next(yield); err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("derive periods: %w", err)
		}
	}
}

// Survey lists the anomalies of all that lies before the cutoff, whatever month
// it is of: over the full set, as contract 7 counts them.
func (d *Deriver) Survey(ctx context.Context, plan Plan) error {
	f, err := d.feed(ctx, plan, calendar{}, Scope{
		Cutoff: plan.Run.Cutoff, Run: plan.Run.Number, Touched: All,
		From: time.UnixMilli(0).UTC(), To: endOfTime(), UsageTo: endOfTime(),
		Accounts: plan.Accounts, Except: plan.Except,
	})
	defer closeFeeds([]*feed{f})
	if err != nil {
		return err
	}
	for f.peek() {
		if err := f.next(func(r Resource) error { return r.Err }); err != nil {
			return err
		}
	}
	return nil
}

// endOfTime is where the times of events end (contract 2).
func endOfTime() time.Time { return time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC) }

// open opens the streams that the plan needs.
func (d *Deriver) open(ctx context.Context, plan Plan) ([]*feed, error) {
	end := plan.Last.End(d.Zone)
	whole := Scope{
		Cutoff: plan.Run.Cutoff, Run: plan.Run.Number, Touched: All,
		// A provision_failed in the first 24 hours after the end can make void what
		// began before it.
		From: time.UnixMilli(0).UTC(), To: end.Add(provisionWindow + time.Millisecond), UsageTo: end,
		Accounts: plan.Accounts, Except: plan.Except,
	}
	months := newCalendar(plan.First, plan.Last, d.Zone)
	if plan.Whole || len(plan.Earlier) == 0 {
		f, err := d.feed(ctx, plan, months, whole)
		return []*feed{f}, err
	}
	whole.Touched = OnlyTouched
	touched, err := d.feed(ctx, plan, months, whole)
	if err != nil || !plan.New {
		return []*feed{touched}, err
	}
	month := whole
	month.Touched, month.Month, month.From = ExceptTouched, plan.Last, plan.Last.Start(d.Zone)
	others, err := d.feed(ctx, plan, newCalendar(plan.Last, plan.Last, d.Zone), month)
	return []*feed{touched, others}, err
}

func closeFeeds(feeds []*feed) {
	for _, f := range feeds {
		if f != nil {
			f.close()
		}
	}
}

// first is the feed whose next resource comes first, nil when all have ended.
func first(feeds []*feed) *feed {
	var best *feed
	for _, f := range feeds {
		if f.peek() && (best == nil || f.key.less(best.key)) {
			best = f
		}
	}
	return best
}
