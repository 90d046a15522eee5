package aggregate

import (
	"context"
	"fmt"
	"time"

	"github.com/reckon-billing/reckon/aggregate/fold"
	"github.com/reckon-billing/reckon/schemas"
)

// rederive derives one resource, or an account itself, whose snapshot counts as absent:
// from full history, out of streams of its own. What the portion's streams have of it
// is passed over.
//
// The months before the last are derived to know what they used of a coupon; they stay
// as they are sealed. No late event is among theirs: what late events touch is derived
// from full history as it is.
func (f *feed) rederive(ctx context.Context) (schemas.Derived, error) {
	if err := f.drain(); err != nil {
		return schemas.Derived{}, err
	}
	scope, only := f.portion.scope, f.key
	scope.From, scope.Month, scope.Touched, scope.Only = time.UnixMilli(0).UTC(), schemas.Month{}, All, &only
	plan := f.plan
	plan.Anomalies = f.sinceSnapshot()
	own := f.deriver.feed(plan, portion{
		scope: scope, months: fold.Months{First: f.plan.First, Last: f.plan.Last}, replaces: true,
	})
	defer own.close()
	if err := own.open(ctx); err != nil {
		return schemas.Derived{}, err
	}
	if err := own.begin(f.rank, f.strays); err != nil {
		return schemas.Derived{}, err
	}
	// Of a history without any event there is nothing.
	out := schemas.Derived{AccountID: only.AccountID, ResourceID: only.ResourceID}
	for own.peek() {
		if k := own.key; k != only && k != (schemas.ResourceKey{AccountID: only.AccountID}) {
			return schemas.Derived{}, fmt.Errorf("the source has events of account %q, resource %q too", k.AccountID, k.ResourceID)
		}
		d, err := own.derive(ctx)
		if err != nil {
			return schemas.Derived{}, fmt.Errorf("from full history: %w", err)
		}
		if own.key == only {
			out = d
		}
	}
	if only.ResourceID == "" && own.account != nil {
		f.account.Take(own.account)
	}
	out.Rederived = true
	return out, nil
}

// sinceSnapshot tells of anomalies that came after the snapshot alone: of those before it
// was told when the months were derived that it follows.
func (f *feed) sinceSnapshot() func(schemas.Anomaly) error {
	if f.plan.Anomalies == nil {
		return nil
	}
	return func(a schemas.Anomaly) error {
		if a.Event.Time.Before(f.portion.scope.From) {
			return nil
		}
		return f.plan.Anomalies(a)
	}
}

// drain passes over what is left of the resource in the streams.
func (f *feed) drain() error {
	for f.snapshots.At(f.key) {
		if err := f.snapshots.Advance(); err != nil {
			return err
		}
	}
	for f.lifecycle.At(f.key) {
		if err := f.lifecycle.Advance(); err != nil {
			return err
		}
	}
	for f.usage.At(f.key) {
		if err := f.usage.Advance(); err != nil {
			return err
		}
	}
	return nil
}
