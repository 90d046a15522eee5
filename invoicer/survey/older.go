package survey

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/reckon-billing/reckon/invoicer"
	"github.com/reckon-billing/reckon/schemas"
)

// tellOlder tells what runs of an older version left untold, in the name of the last of
// them: what all events before its cutoff come to, in all months up to its own. It does so
// once; accounts that cannot be derived then are told of when they can.
func (s *Surveyor) tellOlder(ctx context.Context, b *books) error {
	all, err := s.Store.ToldRuns(ctx)
	if err != nil {
		return err
	}
	since, told := schemas.Told(all)
	var only []string // of the run that tells already
	last := slices.IndexFunc(b.carriedOut, func(r schemas.Run) bool { return r.Number == since.Run })
	if len(since.LeftOut) > 0 {
		only = since.LeftOut
	}
	for i := range b.carriedOut {
		if run := b.carriedOut[i].Number; run > since.Run && !told[run] {
			last, only = i, nil
		}
	}
	if last < 0 || b.carriedOut[last].Number == since.Run && only == nil {
		return nil
	}
	if err := s.tellAll(ctx, b.carriedOut[:last+1], only); err != nil {
		return fmt.Errorf("tell the anomalies of the runs up to %d: %w", b.carriedOut[last].Number, err)
	}
	return nil
}

// tellAll tells in the name of the last of the runs, of some accounts or for nil of all.
func (s *Surveyor) tellAll(ctx context.Context, runs []schemas.Run, only []string) error {
	run, earlier := runs[len(runs)-1], runs[:len(runs)-1]
	g := s.gather(func(some []schemas.Anomaly) error { return s.Store.TellRun(ctx, some) })
	g.run = run.Number
	broken := brokenAccounts{}
	err := s.Deriver.Derive(ctx, schemas.Derivation{
		Run: run, Earlier: earlier, First: run.FirstMonth, Last: invoicer.LastMonth(runs), New: true, FullHistory: true, Accounts: only, Anomalies: g.take,
	}, broken.note)
	if err = cmp.Or(err, g.flush()); err != nil {
		return err
	}
	leftOut := slices.Sorted(maps.Keys(broken))
	if slices.Equal(leftOut, only) && only != nil {
		return nil // as it was
	}
	return s.Store.AddTold(ctx, schemas.ToldRun{Run: run.Number, Since: true, LeftOut: leftOut})
}

// brokenAccounts are accounts that cannot be derived, each with the first reason.
type brokenAccounts map[string]error

// note takes what is derived of a resource.
func (b brokenAccounts) note(d schemas.Derived) error {
	if d.Err != nil && b[d.AccountID] == nil {
		b[d.AccountID] = d.Err
	}
	return nil
}
