package schedule

import (
	"fmt"
	"iter"
	"time"

	"github.com/robfig/cron/v3"
)

// Job is something that comes due again and again.
type Job struct {
	Name string
	When cron.Schedule
}

// Tick is a job at an instant at which it comes due.
type Tick struct {
	At  time.Time
	Job string
}

// Table is the jobs, in the order in which those of one instant come.
type Table []Job

// Due lists what comes due in [from, to), by instant and then in the order of
// the table. Stretches that follow one another list together what the whole
// lists.
func (t Table) Due(from, to time.Time) iter.Seq[Tick] {
	return func(yield func(Tick) bool) {
		next := make([]time.Time, len(t))
		for i := range t {
			// A schedule tells what comes after an instant, and from is one of ours.
			next[i] = t[i].When.Next(from.Add(-1))
		}
		for {
			i := earliest(next)
			if i < 0 || !next[i].Before(to) || !yield(Tick{next[i], t[i].Name}) {
				return
			}
			next[i] = t[i].When.Next(next[i])
		}
	}
}

// earliest is the first of the earliest instants, -1 where none is set: a
// schedule that never comes again says the zero time.
func earliest(instants []time.Time) int {
	first := -1
	for i, at := range instants {
		if !at.IsZero() && (first < 0 || at.Before(instants[first])) {
			first = i
		}
	}
	return first
}

// Parse reads a spec: five cron fields in the zone, a word as @hourly, or
// @every with a duration, which is counted from start on.
func Parse(spec string, zone *time.Location, start time.Time) (cron.Schedule, error) {
	parsed, err := cron.ParseStandard(spec)
	if err != nil {
		return nil, fmt.Errorf("read the schedule %q: %w", spec, err)
	}
	if every, is := parsed.(cron.ConstantDelaySchedule); is {
		return steady{start.Truncate(time.Second), every.Delay}, nil
	}
	return inZone{parsed, zone}, nil
}

// inZone is a schedule whose fields are of a zone, whatever that of the instant.
type inZone struct {
	cron.Schedule
	zone *time.Location
}

// Next is the next instant after t.
func (s inZone) Next(t time.Time) time.Time { return s.Schedule.Next(t.In(s.zone)) }

// steady comes every so often from an instant on. Cron's own counts from
// whenever it is asked, so that two who ask at different times would not agree.
type steady struct {
	start time.Time
	every time.Duration
}

// Next is the next instant after t.
func (s steady) Next(t time.Time) time.Time {
	if t.Before(s.start) {
		return s.start.Add(s.every)
	}
	return s.start.Add(t.Sub(s.start).Truncate(s.every) + s.every)
}
