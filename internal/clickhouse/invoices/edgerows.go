package invoices

import (
	"cmp"
	"context"

	"github.com/reckon-billing/reckon/internal/clickhouse/column"
	"github.com/reckon-billing/reckon/schemas"
)

// writeEdges puts the states of what is alive and of what is not into their
// tables.
func (s *Store) writeEdges(ctx context.Context, run int64, all []schemas.Snapshot) error {
	set := s.rowSets.take(s.digits)
	set.living.all.Reset()
	set.dead.all.Reset()
	for i := range all {
		rows := set.living
		if all[i].Deleted {
			rows = set.dead
		}
		if err := rows.add(run, &all[i]); err != nil {
			return err
		}
	}
	var inserts []column.Insert
	if set.living.accounts.Rows() > 0 {
		inserts = append(inserts, column.Insert{Statement: "insert_edges", Blocks: []column.Input{set.living.all}})
	}
	if set.dead.accounts.Rows() > 0 {
		inserts = append(inserts, column.Insert{Statement: "insert_tombstones", Blocks: []column.Input{set.dead.all}})
	}
	if err := s.db.Insert(ctx, "", inserts...); err != nil {
		return err
	}
	s.rowSets.give(set)
	return nil
}

// stateRows are rows of edges or of tombstones, by column.
type stateRows struct {
	months                      column.LowCardinalityInput
	accounts, resources, states column.StringInput
	runs                        column.Int64s
	used, usedBefore            column.Decimal256Input

	monthly
}

func newStateRows(digits int32) *stateRows {
	r := &stateRows{
		used: column.Decimal256Input{Name: "coupon_used", Places: digits}, usedBefore: column.Decimal256Input{Name: "coupon_used_before", Places: digits},
	}
	r.all = column.Input{
		{Name: "at", Data: &r.months},
		{Name: "account_id", Data: &r.accounts},
		{Name: "resource_id", Data: &r.resources},
		{Name: "run", Data: &r.runs},
		{Name: "state", Data: &r.states},
		{Name: "coupon_used", Data: &r.used},
		{Name: "coupon_used_before", Data: &r.usedBefore},
	}
	return r
}

// add refuses an edge with a number that a column cannot hold.
func (r *stateRows) add(run int64, e *schemas.Snapshot) error {
	r.months.Add(r.month.of(e.At))
	r.accounts.Add(e.AccountID)
	r.resources.Add(e.ResourceID)
	r.runs = append(r.runs, run)
	r.states.Add(e.State)
	return cmp.Or(r.used.Add(e.CouponUsed), r.usedBefore.Add(e.UsedBefore))
}
