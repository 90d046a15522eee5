package generate

import (
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/reckon-billing/reckon/schemas"
)

// Config says what to make.
type Config struct {
	// Seed chooses one of many clouds.
	Seed uint64
	// First is the first month that is sealed; Months are sealed, one after another.
	First  schemas.Month
	Months int
	// Zone is the billing zone.
	Zone *time.Location
	// Accounts and Resources are how many there are.
	Accounts, Resources int
	// Usage is about how many usage events there are in all; they are spread
	// over the resources that are metered, while those run.
	Usage int
	Noise Noise
}

// Noise is what goes wrong on the way. Rates are per 10,000 events, drawn for
// each event on its own.
type Noise struct {
	// Window is how many lines are on their way at once, overtaking each other; 0
	// keeps them in the order of their times.
	Window int
	// Duplicates are sent again byte for byte, Respelled with the same facts in
	// other words, Conflicts with another fact.
	Duplicates, Respelled, Conflicts int
	// Poison lines cannot be read as events.
	Poison int
	// Anomalies are whole events that cannot apply.
	Anomalies int
	// Late events come after the seal of their month; the last month has none. At
	// most MaxLate wait for one seal.
	Late int
}

// MaxLate is how many late events wait for one seal at most.
const MaxLate = 10_000

// perEvents is what the rates of noise are counted in.
const perEvents = 10_000

// Believable is the noise of a normal month.
func Believable() Noise {
	return Noise{Window: 256, Duplicates: 100, Respelled: 40, Conflicts: 15, Poison: 30, Anomalies: 20}
}

// Limits that keep a configuration from asking for what cannot be made.
const (
	maxResources = 1_000_000
	maxWindow    = 1 << 16
	maxMonths    = 120
	maxUsage     = 1_000_000_000
)

// Validate says in one sentence what cannot be made.
func (c *Config) Validate() error {
	for _, n := range []int{
		c.Noise.Duplicates, c.Noise.Respelled, c.Noise.Conflicts, c.Noise.Poison, c.Noise.Anomalies, c.Noise.Late,
	} {
		if n < 0 || n > perEvents {
			return fmt.Errorf("a rate of noise is from 0 to %d per %d events, not %d", perEvents, perEvents, n)
		}
	}
	switch {
	case c.Zone == nil:
		return errors.New("the billing zone is missing")
	case c.First.Year < 2001 || c.First.Year > 2180:
		return fmt.Errorf("the first month is from 2001-01 to 2180-12, not %s", c.First)
	case c.Months < 1 || c.Months > maxMonths:
		return fmt.Errorf("months are from 1 to %d, not %d", maxMonths, c.Months)
	case c.Accounts < 1 || c.Resources < 1 || c.Accounts > maxResources || c.Resources > maxResources:
		return fmt.Errorf("accounts and resources are from 1 to %d, not %d and %d", maxResources, c.Accounts, c.Resources)
	case c.Usage < 0 || c.Usage > maxUsage:
		return fmt.Errorf("usage events are from 0 to %d, not %d", maxUsage, c.Usage)
	case c.Noise.Window < 0 || c.Noise.Window > maxWindow:
		return fmt.Errorf("the window is from 0 to %d lines, not %d", maxWindow, c.Noise.Window)
	}
	return nil
}

// Kind is the truth about a line.
type Kind uint8

// What a line is. Every line but a seal is exactly one of the first four, as
// the counts of contract 7 are.
const (
	// Stored is the first copy of an event: the one that counts.
	Stored Kind = iota
	// Duplicate is another copy with the same facts, Conflicting one with others.
	Duplicate
	Conflicting
	// Rejected cannot be read as an event.
	Rejected
	// Seal is a directive.
	Seal
)

// Line is one line of the scenario with the truth about it.
type Line struct {
	// Bytes are the line without its end; they are the caller's.
	Bytes []byte
	Kind  Kind
	// Event is what the line says, for all but rejects and seals. Its items are
	// shared between lines and must not be written to.
	Event schemas.Event
	// Late tells that the event comes after its month's seal on purpose.
	Late bool
	// Misplaced tells that the event was made so that it cannot apply.
	Misplaced bool
	// Fault names what is wrong with a rejected line.
	Fault string
	// Month is what a seal seals.
	Month schemas.Month
}

// Truth counts the lines that were given. Seals are not among Lines.
type Truth struct {
	Lines, Stored, Duplicate, Conflicting, Rejected int64
	// Usage, Late and Misplaced count among Stored; the anomalies are more than
	// the misplaced ones: some come about by themselves.
	Usage, Late, Misplaced int64
	Seals                  int64
	// Faults counts the rejected lines by what is wrong with them.
	Faults map[string]int64
}

func (t *Truth) count(l *Line) {
	switch l.Kind {
	case Seal:
		t.Seals++
		return
	case Stored:
		t.Stored++
		if l.Event.Type == schemas.UsageRecorded {
			t.Usage++
		}
		if l.Late {
			t.Late++
		}
		if l.Misplaced {
			t.Misplaced++
		}
	case Duplicate:
		t.Duplicate++
	case Conflicting:
		t.Conflicting++
	case Rejected:
		t.Rejected++
		t.Faults[l.Fault]++
	}
	t.Lines++
}

// Lines are all lines in order. It ends the generator: to have them again, make
// a new one.
func (g *Generator) Lines() iter.Seq[Line] {
	return func(yield func(Line) bool) {
		for l, ok := g.Next(); ok; l, ok = g.Next() {
			if !yield(l) {
				return
			}
		}
	}
}
