package main

import (
	"context"

	"github.com/reckon-billing/reckon/aggregate"
	"github.com/reckon-billing/reckon/invoicer"
	"github.com/reckon-billing/reckon/schemas"
)

// periods lets the invoicer derive with aggregate: stages never import each
// other, so they are joined here.
type periods struct{ deriver *aggregate.Deriver }

// Apart is that of aggregate.
func (p periods) Apart(ctx context.Context, plan invoicer.Plan) func() (schemas.Winner, error) {
	return p.deriver.Apart(ctx, aggregate.Plan(plan))
}

// Derive hands the plan over and the resources back.
func (p periods) Derive(ctx context.Context, plan invoicer.Plan, yield func(invoicer.Derived) error) error {
	return p.deriver.Derive(ctx, aggregate.Plan(plan), func(r aggregate.Resource) error {
		late := make([]invoicer.LateMonth, len(r.Late))
		for i := range r.Late {
			late[i] = invoicer.LateMonth(r.Late[i])
		}
		return yield(invoicer.Derived{
			AccountID: r.AccountID, ResourceID: r.ResourceID, Periods: r.Periods, Edge: r.Edge, Whole: r.Whole, Late: late, Err: r.Err,
		})
	})
}
