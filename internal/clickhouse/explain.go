package clickhouse

import (
	"context"

	"github.com/reckon-billing/reckon/aggregate"
	"github.com/reckon-billing/reckon/schemas"
)

// OneResource is the events of one resource, and of its account's own, as a
// source to derive that resource from alone: only for whole derivations, which
// need no edge.
type OneResource struct {
	store             *Store
	account, resource string
}

var _ aggregate.Source = OneResource{}

// OneResource narrows the store to one resource.
func (s *Store) OneResource(account, resource string) OneResource {
	return OneResource{s, account, resource}
}

func (r OneResource) bind(scope *aggregate.Scope) []any {
	return append(bindCutoff("", scope.Cutoff), bind("account", r.account), bind("resource", r.resource))
}

// Events streams copies as [aggregate.Source] says.
func (r OneResource) Events(ctx context.Context, scope aggregate.Scope, what aggregate.What) (aggregate.Cursor[aggregate.Copy], error) {
	to, usage := scope.To, what == aggregate.Usage
	if usage {
		to = scope.UsageTo
	}
	args := append(r.bind(&scope), bindTime("from", scope.From), bindTime("to", to), bind("usage", usage))
	rows, err := r.store.stream(ctx, "resource_events", args...)
	if err != nil {
		return nil, err
	}
	return &copies{cursor: rows}, nil
}

// Moved streams copies as [aggregate.Source] says.
func (r OneResource) Moved(ctx context.Context, scope aggregate.Scope) (aggregate.Cursor[aggregate.Moved], error) {
	rows, err := r.store.stream(ctx, "resource_moved", r.bind(&scope)...)
	if err != nil {
		return nil, err
	}
	return &moved{cursor: rows}, nil
}

// Edges has none: a whole derivation begins at the beginning.
func (r OneResource) Edges(context.Context, aggregate.Scope) (aggregate.Cursor[schemas.Edge], error) {
	return noEdges{}, nil
}
