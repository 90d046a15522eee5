package aggregate

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/reckon-billing/reckon/aggregate/fold"
	"github.com/reckon-billing/reckon/schemas"
)

// Deriver derives reconciliation periods from what is stored.
type Deriver struct {
	Source Source
	// Zone is the billing zone.
	Zone *time.Location
	// Named asks for source and id of every usage event: else an anomaly that is one may
	// lack them. Most usage is only added up, and reading the names takes as long again.
	Named bool
	// NameLevels asks for the events whose levels hold when periods begin, which only a
	// derivation from full history knows.
	NameLevels bool
}

// Derive yields every resource that has periods, a new snapshot or an error, by
// (account id, resource id) ascending, each in bounded memory.
//
// In a first seal every resource is derived from all its events. Later, one that
// late events touched is derived from all its events, for every month; any other
// from the snapshot at the start of the new month and that month's events alone. One
// whose snapshot counts as absent is derived from all its events too, once.
func (d *Deriver) Derive(ctx context.Context, plan schemas.Derivation, yield func(schemas.Derived) error) error {
	portions := d.portions(plan)
	if len(portions) == 0 {
		return nil
	}
	return d.fold(ctx, plan, portions, yield)
}

// Survey tells the plan's Anomalies of all that lies before the cutoff, whatever month it
// is of, and yields the resources, without periods.
//
// Without a last month, that is over the full set, as contract 7 counts them. With one,
// which is sealed, it is of what came since: of resources that late events touched from
// full history, of any other from the snapshot at the end of that month on.
func (d *Deriver) Survey(ctx context.Context, plan schemas.Derivation, yield func(schemas.Derived) error) error {
	all := Scope{
		Cutoff: plan.Run.Cutoff, Run: plan.Run.Number, Survey: plan.Survey, Touched: All,
		From: time.UnixMilli(0).UTC(), To: endOfTime(), UsageTo: endOfTime(),
		Accounts: plan.Accounts, Except: plan.Except,
	}
	if plan.Last.IsZero() {
		return d.fold(ctx, plan, []portion{{scope: all}}, yield)
	}
	touched, since := all, all
	touched.Touched, since.Touched = OnlyTouched, ExceptTouched
	since.Month, since.From = plan.Last.Next(), plan.Last.End(d.Zone)
	if plan.Untouched {
		since.Touched = All
		return d.fold(ctx, plan, []portion{{scope: since}}, yield)
	}
	return d.fold(ctx, plan, []portion{{scope: touched}, {scope: since}}, yield)
}

// endOfTime is where the times of events end (contract 2).
func endOfTime() time.Time { return time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC) }

// portion is some of the resources, and the months whose periods are wanted of them.
type portion struct {
	scope  Scope
	months fold.Months
	// settles tells that all months are derived from full history, to be compared with
	// what was invoiced; late events are told of then.
	settles bool
	// replaces tells that older snapshots may stand that are wrong.
	replaces bool
}

// portions are what the plan asks for; no resource is in two of them.
func (d *Deriver) portions(plan schemas.Derivation) []portion {
	end := plan.Last.End(d.Zone)
	full := portion{
		settles: true, replaces: len(plan.Earlier) > 0,
		months: fold.Months{First: plan.First, Last: plan.Last},
		scope: Scope{
			Cutoff: plan.Run.Cutoff, Run: plan.Run.Number, Touched: All,
			// A provision_failed in the first 24 hours after the end can make void what
			// began before it.
			From: time.UnixMilli(0).UTC(), To: end.Add(fold.ProvisionWindow + time.Millisecond), UsageTo: end,
			Accounts: plan.Accounts, Except: plan.Except,
		},
	}
	if plan.FullHistory || len(plan.Earlier) == 0 {
		return []portion{full}
	}
	var all []portion
	month := portion{scope: full.scope, months: fold.Months{First: plan.Last, Last: plan.Last}}
	month.scope.Month, month.scope.From = plan.Last, plan.Last.Start(d.Zone)
	if !plan.Untouched {
		full.scope.Touched, month.scope.Touched = OnlyTouched, ExceptTouched
		all = append(all, full)
	}
	if plan.New {
		all = append(all, month)
	}
	return all
}

// fold yields the resources of the portions.
func (d *Deriver) fold(ctx context.Context, plan schemas.Derivation, portions []portion, yield func(schemas.Derived) error) error {
	feeds, err := d.open(ctx, plan, portions)
	defer closeFeeds(feeds)
	if err != nil {
		return err
	}
	for {
		f := first(feeds)
		if f == nil {
			return nil
		}
		if err := f.next(ctx, yield); err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("derive periods: %w", err)
		}
	}
}

// open opens the streams of the portions side by side: each takes the source a
// while, the search for stray copies longest. That is one for all. What was
// opened before an error is there to be closed.
func (d *Deriver) open(ctx context.Context, plan schemas.Derivation, portions []portion) ([]*feed, error) {
	var (
		all    sync.WaitGroup
		errs   = make([]error, len(portions)+1)
		feeds  = make([]*feed, len(portions))
		strays = plan.Strays
	)
	if strays == nil && !plan.AssumeNoStrays {
		all.Go(func() { strays, errs[len(portions)] = d.strays(ctx, plan) })
	}
	for i, p := range portions {
		feeds[i] = d.feed(plan, p)
		all.Go(func() { errs[i] = feeds[i].open(ctx) })
	}
	all.Wait()
	if err := errors.Join(errs...); err != nil {
		return feeds, err
	}
	rank := rankingOf(plan)
	for _, f := range feeds {
		if err := f.begin(rank, strays); err != nil {
			return feeds, err
		}
	}
	return feeds, nil
}

func closeFeeds(feeds []*feed) {
	for _, f := range feeds {
		f.close()
	}
}

// first is the feed whose next resource comes first, nil when all have ended.
func first(feeds []*feed) *feed {
	var best *feed
	for _, f := range feeds {
		if f.peek() && (best == nil || f.key.Compare(best.key) < 0) {
			best = f
		}
	}
	return best
}
