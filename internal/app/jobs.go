package app

import (
	"context"
	"fmt"
	"time"

	"github.com/reckon-billing/reckon/internal/schedule"
)

// job is work that a schedule wakes.
type job struct {
	// name is the job's, setting that of its spec.
	name, setting, spec string
	work                func(context.Context) error
}

// longestRest bounds how long the clock is not looked at: it may be set, or the
// machine may have slept.
const longestRest = time.Minute

// runner runs jobs by the wall clock, which it is handed with how to sleep.
type runner struct {
	zone  *time.Location
	now   func() time.Time
	sleep func(context.Context, time.Duration)
	// done, where it is set, is told whenever a job has done its work.
	done func()
}

// run runs every job at once, and again whenever it comes due, one after the
// other, until ctx ends or one fails. A job that came due while others ran, however
// often, runs once more after them: a tick says "look", and the work finds by
// itself what there is to do.
func (r runner) run(ctx context.Context, jobs ...job) error {
	seen := r.now()
	table, err := r.table(jobs, seen)
	if err != nil {
		return err
	}
	due := map[string]bool{}
	for _, j := range jobs {
		due[j.name] = true
	}
	for ctx.Err() == nil {
		for _, j := range jobs {
			if !due[j.name] {
				continue
			}
			if err := j.work(ctx); err != nil {
				return err
			}
			if r.done != nil {
				r.done()
			}
		}
		r.sleep(ctx, rest(table, seen, r.now()))
		now := r.now()
		due = dueSince(table, seen, now)
		seen = now
	}
	return ctx.Err()
}

func (r runner) table(jobs []job, start time.Time) (schedule.Table, error) {
	table := make(schedule.Table, len(jobs))
	for i, j := range jobs {
		when, err := schedule.Parse(j.spec, r.zone, start)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", j.setting, err)
		}
		table[i] = schedule.Job{Name: j.name, When: when}
	}
	return table, nil
}

// rest is how long there is nothing to do: until the first tick since the clock
// was looked at.
func rest(table schedule.Table, seen, now time.Time) time.Duration {
	if now.Before(seen) {
		seen = now // the clock was set back: it goes on from there
	}
	for tick := range table.Due(seen.Add(1), now.Add(longestRest)) {
		return max(0, tick.At.Sub(now))
	}
	return longestRest
}

// dueSince names the jobs that came due after one look at the clock and up to
// another.
func dueSince(table schedule.Table, seen, now time.Time) map[string]bool {
	due := map[string]bool{}
	for tick := range table.Due(seen.Add(1), now.Add(1)) {
		due[tick.Job] = true
		if len(due) == len(table) {
			break
		}
	}
	return due
}
