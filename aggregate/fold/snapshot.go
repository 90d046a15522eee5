package fold

import "github.com/reckon-billing/reckon/schemas"

// usedBefore is what months before used of the coupon balances in the snapshot.
func (r *Resource) usedBefore() usedBalances {
	var all usedBalances
	if b := r.start.Balance; b != nil {
		all = append(all, usedBalance{b.Source, b.ID, r.snapshot.CouponUsed})
	}
	if r.start.Before != nil && r.start.Before.Balance != nil {
		b := r.start.Before.Balance
		all = append(all, usedBalance{b.Source, b.ID, r.snapshot.UsedBefore})
	}
	return all
}

// nextSnapshot is the state at the end of the last month, for the next one; nil when
// there is nothing to remember.
func (r *Resource) nextSnapshot() *schemas.Snapshot {
	s := &schemas.Snapshot{AccountID: r.account.id, ResourceID: r.id, At: r.fold.Next, Deleted: !r.end.alive()}
	if r.end.Phase == unknown {
		if !r.fold.Replace {
			return nil
		}
		return s
	}
	if r.snapshot != nil && r.changes == 0 {
		if r.snapshot.Deleted && s.Deleted {
			return nil // the tombstone that is there says the same
		}
		if !r.used && r.start.Before == nil && !r.start.foreign {
			s.State = r.snapshot.State
			r.exportBalances(s)
			return s
		}
	}
	r.end.Levels, r.end.LeftOut = r.endLife.levels.export()
	if b := r.placer.before; b != nil {
		was := *r.end.Before
		was.Levels, was.LeftOut = b.levels.export()
		r.end.Before = &was
	}
	r.end.forget(r.fold.To)
	s.State = r.end.encode()
	r.exportBalances(s)
	return s
}

func (r *Resource) exportBalances(s *schemas.Snapshot) {
	used := r.usedBefore()
	export := func(b *couponBalance) *schemas.CouponBalance {
		if b == nil {
			return nil
		}
		out := b.export()
		used.fill(out)
		return out
	}
	s.Balance = export(r.end.Balance)
	if r.end.Before != nil {
		s.Before = export(r.end.Before.Balance)
	}
}
