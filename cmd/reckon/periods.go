package main

import (
	"context"

	"github.com/reckon-billing/reckon/aggregate"
	"github.com/reckon-billing/reckon/invoicer"
)

// periods lets the invoicer derive with aggregate: stages never import each
// other, so they are joined here.
type periods struct{ deriver *aggregate.Deriver }

// Derive hands the plan over and the resources back.
func (p periods) Derive(ctx context.Context, plan invoicer.Plan, yield func(invoicer.Derived) error) error {
	return p.deriver.Derive(ctx, aggregate.Plan(plan), func(r aggregate.Resource) error {
		return yield(invoicer.Derived(r))
	})
}
