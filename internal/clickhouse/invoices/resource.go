package invoices

import (
	"context"
	"fmt"
	"time"

	"github.com/reckon-billing/reckon/internal/clickhouse/column"
	"github.com/reckon-billing/reckon/internal/clickhouse/scope"
	"github.com/reckon-billing/reckon/schemas"
)

// Resource is what is stored of one resource alone.
type Resource struct {
	store             *Store
	account, resource string
}

// OneResource narrows the store to one resource.
func (s *Store) OneResource(account, resource string) Resource { return Resource{s, account, resource} }

// Before yields what runs before the given one invoiced of the resource's month.
func (r Resource) Before(ctx context.Context, month schemas.Month, run int64, yield func(schemas.ReportRow) error) error {
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
func (r Resource) Period(ctx context.Context, month schemas.Month, start time.Time, run int64) (opened, closed *schemas.EventRef, err error) {
	var o, c schemas.EventRef
	var openedType, closedType string
	var isClosed bool
	err = r.store.db.Each(ctx, "explain_period", []any{
		&o.Source, &o.ID, &openedType, &o.Time, &o.Position.Log, &o.Position.Topic, &o.Position.Partition, &o.Position.Offset,
		&isClosed, &c.Source, &c.ID, &closedType, &c.Time, &c.Position.Log, &c.Position.Topic, &c.Position.Partition, &c.Position.Offset,
	}, func() error {
		openedBy, closedBy := o, c
		openedBy.Type, openedBy.Time = schemas.Type(openedType), o.Time.UTC()
		closedBy.Type, closedBy.Time = schemas.Type(closedType), c.Time.UTC()
		opened, closed = &openedBy, nil
		if isClosed {
			closed = &closedBy
		}
		return nil
	}, column.Bind("month", month.String()), column.Bind("account", r.account), column.Bind("resource", r.resource), scope.BindTime("start", start), column.Bind("run", run))
	if err != nil {
		return nil, nil, fmt.Errorf("read the period of %s: %w", start, err)
	}
	return opened, closed, nil
}
