package clickhouse

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/reckon-billing/reckon/invoicer"
	"github.com/reckon-billing/reckon/schemas"
)

var _ invoicer.Late = (*Store)(nil)

// MarkTouched writes touched_resources for the run, as [invoicer.Late] says, and
// returns how many rows it has. Again it writes the same rows, since they follow
// from the two cutoffs.
func (s *Store) MarkTouched(ctx context.Context, run schemas.Run, since schemas.Cutoff, sealedTo time.Time) (int64, error) {
	args := append(bindCutoff("", run.Cutoff), bindCutoff("since_", since)...)
	args = append(args, bind("run", run.Number), bindTime("sealed_to", sealedTo), bind("least", leastNew(run.Cutoff, since)))
	if err := s.exec(ctx, "mark_touched", args...); err != nil {
		return 0, fmt.Errorf("run %d: mark touched resources: %w", run.Number, err)
	}
	var touched int64
	if err := s.row(ctx, "count_touched", []any{&touched}, bind("run", run.Number)); err != nil {
		return 0, fmt.Errorf("run %d: count touched resources: %w", run.Number, err)
	}
	return touched, nil
}

// leastNew is an offset before which no partition has anything that lies inside the
// cutoff and not inside the earlier one.
func leastNew(cutoff, since schemas.Cutoff) int64 {
	earlier := newEnds(since)
	least := int64(math.MaxInt64)
	for _, p := range cutoff {
		least = min(least, earlier.all[p.Topic][p.Partition])
	}
	return least
}
