package events

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/reckon-billing/reckon/aggregate"
	"github.com/reckon-billing/reckon/internal/audit"
	"github.com/reckon-billing/reckon/internal/clickhouse/column"
	"github.com/reckon-billing/reckon/internal/clickhouse/scope"
	"github.com/reckon-billing/reckon/schemas"
)

// Resource is the events of one resource, and of its account's own, as a
// source to derive that resource from alone: only from full history, which
// needs no snapshot.
type Resource struct {
	store             *Store
	account, resource string
}

// OneResource narrows the store to one resource.
func (s *Store) OneResource(account, resource string) Resource {
	return Resource{s, account, resource}
}

func (r Resource) bind(cutoff schemas.Cutoff) []any {
	return append(scope.BindCutoff("", cutoff), column.Bind("account", r.account), column.Bind("resource", r.resource))
}

// Events streams copies as [aggregate.Source] says.
func (r Resource) Events(ctx context.Context, of aggregate.Scope, what aggregate.What) (schemas.Cursor[aggregate.Rows], error) {
	to, usage := of.To, what == aggregate.Usage
	if usage {
		to = of.UsageTo
	}
	args := append(r.bind(of.Cutoff), scope.BindTime("from", of.From), scope.BindTime("to", to), column.Bind("usage", usage))
	c := &copies{}
	one, err := c.open(ctx, r.store, "resource_events", nil, args, newEnds(of.Cutoff), true, true, true)
	if err != nil {
		return nil, err
	}
	c.months = []ordered{one}
	return c, nil
}

// Strays streams copies as [aggregate.Source] says.
func (r Resource) Strays(ctx context.Context, cutoff schemas.Cutoff) (schemas.Cursor[aggregate.StrayCopy], error) {
	rows, err := r.store.db.Rows(ctx, "resource_stray_copies", r.bind(cutoff)...)
	if err != nil {
		return nil, err
	}
	return &strays{Rows: rows}, nil
}

// Snapshots has none: a whole derivation begins at the beginning.
func (r Resource) Snapshots(context.Context, aggregate.Scope) (schemas.Cursor[schemas.Snapshot], error) {
	return noSnapshots{}, nil
}

// Usage yields the events of one item of the resource in [from, to), of each the
// copy that counts before the cutoff, in order.
func (r Resource) Usage(
	ctx context.Context, cutoff schemas.Cutoff, item string, from, to time.Time, yield func(audit.UsageEvent) error,
) error {
	var e audit.UsageEvent
	var kind string
	p := &e.Position
	args := append(r.bind(cutoff), column.Bind("item", item), scope.BindTime("from", from), scope.BindTime("to", to))
	err := r.store.db.Each(ctx, "explain_usage",
		[]any{&e.Source, &e.ID, &kind, &e.Time, &p.Log, &p.Topic, &p.Partition, &p.Offset, &e.Value},
		func() error {
			e.Type, e.Time = schemas.Type(kind), e.Time.UTC()
			return yield(e)
		}, args...)
	if err != nil {
		return fmt.Errorf("read the usage of item %q: %w", item, err)
	}
	return nil
}

// noSnapshots are those of the month before the first.
type noSnapshots struct{}

func (noSnapshots) Next() (*schemas.Snapshot, error) { return nil, io.EOF }
func (noSnapshots) Close() error                     { return nil }
