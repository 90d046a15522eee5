package runs

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/reckon-billing/reckon/internal/clickhouse/column"
	"github.com/reckon-billing/reckon/internal/clickhouse/scope"
	"github.com/reckon-billing/reckon/invoicer"
	"github.com/reckon-billing/reckon/schemas"
)

var _ invoicer.Late = (*Store)(nil)

// MarkTouched writes touched_resources for the run, as [invoicer.Late] says, and
// returns how many rows it has. Again it writes the same rows, since they follow
// from the two cutoffs.
func (s *Store) MarkTouched(ctx context.Context, run schemas.Run, since schemas.Cutoff, sealedTo time.Time) (int64, error) {
	touched, err := s.mark(ctx, run.Cutoff, since, sealedTo, "touched", column.Bind("run", run.Number))
	if err != nil {
		return 0, fmt.Errorf("run %d: %w", run.Number, err)
	}
	return touched, nil
}

// MarkSurveyed writes survey_resources for a survey: what [Store.MarkTouched] would of a
// run with its cutoff.
func (s *Store) MarkSurveyed(ctx context.Context, survey *schemas.Survey, since schemas.Cutoff, sealedTo time.Time) (int64, error) {
	return s.mark(ctx, survey.Cutoff, since, sealedTo, "surveyed", column.Bind("survey", survey.ID), column.Bind("noted_at", survey.NotedAt))
}

// mark marks what events between two cutoffs touch, by a statement of that name as
// mark_touched.sql, and counts it by one as count_touched.sql. Who is who asks, as the
// statements name it.
func (s *Store) mark(ctx context.Context, cutoff, since schemas.Cutoff, sealedTo time.Time, what string, who ...any) (int64, error) {
	args := append(scope.BindCutoff("", cutoff), scope.BindCutoff("since_", since)...)
	args = append(append(args, scope.BindTime("sealed_to", sealedTo)), bindLeastNew(cutoff, since)...)
	var late bool
	if err := s.db.Row(ctx, "any_late", []any{&late}, args...); err != nil {
		return 0, fmt.Errorf("look for late events: %w", err)
	}
	if !late {
		return 0, nil
	}
	if err := s.db.Exec(ctx, "mark_"+what, append(args, who...)...); err != nil {
		return 0, fmt.Errorf("mark touched resources: %w", err)
	}
	var touched int64
	if err := s.db.Row(ctx, "count_"+what, []any{&touched}, who...); err != nil {
		return 0, fmt.Errorf("count touched resources: %w", err)
	}
	return touched, nil
}

// bindLeastNew binds offsets before which nothing lies inside the cutoff and not
// inside the earlier one: that of the topic whose offsets are farthest ahead, and
// that of all others.
func bindLeastNew(cutoff, since schemas.Cutoff) []any {
	earlier := map[schemas.PartitionEnd]int64{}
	for _, p := range since {
		earlier[p.WithoutEnd()] = p.End
	}
	least := map[string]int64{}
	for _, p := range cutoff {
		end := earlier[p.WithoutEnd()]
		if p.End <= end {
			continue // it brought nothing
		}
		if other, seen := least[p.Topic]; !seen || end < other {
			least[p.Topic] = end
		}
	}
	busiest, others := "", int64(math.MaxInt64)
	for _, topic := range slices.Sorted(maps.Keys(least)) {
		if busiest == "" || least[topic] > least[busiest] {
			busiest = topic
		}
	}
	for topic, end := range least {
		if topic != busiest {
			others = min(others, end)
		}
	}
	return []any{column.Bind("busiest", busiest), column.Bind("least_busiest", least[busiest]), column.Bind("least", others)}
}
