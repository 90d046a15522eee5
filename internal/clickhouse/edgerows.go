package clickhouse

import (
	"cmp"
	"context"

	"github.com/ClickHouse/ch-go/proto"

	"github.com/reckon-billing/reckon/schemas"
)

// writeEdges puts the states of what is alive and of what is not into their
// tables.
func (s *Store) writeEdges(ctx context.Context, run int64, all []schemas.Snapshot) error {
	return s.withWriter(ctx, func(ctx context.Context, w *writer) error {
		w.living.all.Reset()
		w.dead.all.Reset()
		for i := range all {
			rows := w.living
			if all[i].Deleted {
				rows = w.dead
			}
			if err := rows.add(run, &all[i]); err != nil {
				return err
			}
		}
		if w.living.accounts.rows > 0 {
			if err := w.insert(ctx, "insert_edges", w.living.all); err != nil {
				return err
			}
		}
		if w.dead.accounts.rows > 0 {
			return w.insert(ctx, "insert_tombstones", w.dead.all)
		}
		return nil
	})
}

// stateRows are rows of edges or of tombstones, by column.
type stateRows struct {
	months                      wordInput
	accounts, resources, states textInput
	runs                        proto.ColInt64
	used, usedBefore            moneyInput

	monthly
}

func newStateRows(digits int32) *stateRows {
	r := &stateRows{
		used: moneyInput{name: "coupon_used", places: digits}, usedBefore: moneyInput{name: "coupon_used_before", places: digits},
	}
	r.all = proto.Input{
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
	r.months.add(r.month.of(e.At))
	r.accounts.add(e.AccountID)
	r.resources.add(e.ResourceID)
	r.runs = append(r.runs, run)
	r.states.add(e.State)
	return cmp.Or(r.used.add(e.CouponUsed), r.usedBefore.add(e.UsedBefore))
}
