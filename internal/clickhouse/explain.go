package clickhouse

import (
	"context"
	"fmt"
	"time"

	"github.com/reckon-billing/reckon/aggregate"
	"github.com/reckon-billing/reckon/internal/audit"
	"github.com/reckon-billing/reckon/internal/clickhouse/column"
	"github.com/reckon-billing/reckon/schemas"
)

// oneResource is the events of one resource, and of its account's own, as a
// source to derive that resource from alone: only for whole derivations, which
// need no edge.
type oneResource struct {
	store             *Store
	account, resource string
}

var _ audit.Resource = oneResource{}

// OneResource narrows the store to one resource.
func (s *Store) OneResource(account, resource string) audit.Resource {
	return oneResource{s, account, resource}
}

func (r oneResource) bind(cutoff schemas.Cutoff) []any {
	return append(bindCutoff("", cutoff), column.Bind("account", r.account), column.Bind("resource", r.resource))
}

// Events streams copies as [aggregate.Source] says.
func (r oneResource) Events(ctx context.Context, scope aggregate.Scope, what aggregate.What) (schemas.Cursor[aggregate.Rows], error) {
	to, usage := scope.To, what == aggregate.Usage
	if usage {
		to = scope.UsageTo
	}
	args := append(r.bind(scope.Cutoff), bindTime("from", scope.From), bindTime("to", to), column.Bind("usage", usage))
	c := &copies{}
	one, err := c.open(ctx, r.store, "resource_events", nil, args, newEnds(scope.Cutoff), true, true, true)
	if err != nil {
		return nil, err
	}
	c.months = []ordered{one}
	return c, nil
}

// Strays streams copies as [aggregate.Source] says.
func (r oneResource) Strays(ctx context.Context, cutoff schemas.Cutoff) (schemas.Cursor[aggregate.StrayCopy], error) {
	rows, err := r.store.Rows(ctx, "resource_moved", r.bind(cutoff)...)
	if err != nil {
		return nil, err
	}
	return &moved{Rows: rows}, nil
}

// Snapshots has none: a whole derivation begins at the beginning.
func (r oneResource) Snapshots(context.Context, aggregate.Scope) (schemas.Cursor[schemas.Snapshot], error) {
	return noEdges{}, nil
}

// Usage yields the events of one item of the resource in [from, to), of each the
// copy that counts before the cutoff, in order.
func (r oneResource) Usage(
	ctx context.Context, cutoff schemas.Cutoff, item string, from, to time.Time, yield func(audit.UsageEvent) error,
) error {
	var e audit.UsageEvent
	var kind string
	p := &e.Position
	args := append(r.bind(cutoff), column.Bind("item", item), bindTime("from", from), bindTime("to", to))
	err := r.store.Each(ctx, "explain_usage",
		[]any{&e.Source, &e.ID, &kind, &e.Time, &p.Topic, &p.Partition, &p.Offset, &e.Value},
		func() error {
			e.Type, e.Time = schemas.Type(kind), e.Time.UTC()
			return yield(e)
		}, args...)
	if err != nil {
		return fmt.Errorf("read the usage of item %q: %w", item, err)
	}
	return nil
}

// Before yields what runs before the given one invoiced of the resource's month.
func (r oneResource) Before(ctx context.Context, month schemas.Month, run int64, yield func(schemas.ReportRow) error) error {
	err := r.store.reportRows(ctx, "explain_rows", yield,
		column.Bind("month", month.String()), column.Bind("account", r.account), column.Bind("resource", r.resource), column.Bind("run", run))
	if err != nil {
		return fmt.Errorf("read what was invoiced before run %d: %w", run, err)
	}
	return nil
}

// Period is the events that opened and closed a period when it was last stored
// by a run up to the given one: closed is nil where it went on, opened where there
// is no such period.
func (r oneResource) Period(ctx context.Context, month schemas.Month, start time.Time, run int64) (opened, closed *schemas.EventRef, err error) {
	var o, c schemas.EventRef
	var openedType, closedType string
	var isClosed bool
	err = r.store.Each(ctx, "explain_period", []any{
		&o.Source, &o.ID, &openedType, &o.Time, &o.Position.Topic, &o.Position.Partition, &o.Position.Offset,
		&isClosed, &c.Source, &c.ID, &closedType, &c.Time, &c.Position.Topic, &c.Position.Partition, &c.Position.Offset,
	}, func() error {
		openedBy, closedBy := o, c
		openedBy.Type, openedBy.Time = schemas.Type(openedType), o.Time.UTC()
		closedBy.Type, closedBy.Time = schemas.Type(closedType), c.Time.UTC()
		opened, closed = &openedBy, nil
		if isClosed {
			closed = &closedBy
		}
		return nil
	}, column.Bind("month", month.String()), column.Bind("account", r.account), column.Bind("resource", r.resource), bindTime("start", start), column.Bind("run", run))
	if err != nil {
		return nil, nil, fmt.Errorf("read the period of %s: %w", start, err)
	}
	return opened, closed, nil
}
