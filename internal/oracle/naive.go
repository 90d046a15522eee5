package oracle

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/reckon-billing/reckon/schemas"
)

// Copy is one accepted message: the event that it carries and where it lay.
type Copy struct {
	schemas.Event
	// Position is where the copy lies in Kafka.
	Position schemas.Position
	// KafkaTime is the message's timestamp, UTC.
	KafkaTime time.Time
}

// Settings are what the installation fixed (contract 1, 5.0).
type Settings struct {
	Zone     *time.Location
	Currency schemas.Currency
	// First and Last are the months whose lines are computed, both included.
	// Time before First is never billed.
	First, Last schemas.Month
	// Cutoffs are those of the runs so far, in order. They only decide which of
	// several copies counts.
	Cutoffs []schemas.Cutoff
}

// Counts tells what the accepted copies were.
type Counts struct{ Stored, Duplicate, Conflicting int64 }

// Conservation is contract 5.4 for one account and month, in item-minutes:
// Lived = OnLines + Excluded.
type Conservation struct {
	AccountID                string
	Month                    schemas.Month
	Lived, OnLines, Excluded int64
}

// Result is everything that follows from a set of copies.
type Result struct {
	Counts
	// Lines are ordered by month, account, resource, period start and item.
	// Their invoice codes are those of first invoices.
	Lines []schemas.Line
	// Anomalies are over all time, not only the months asked for; those of
	// schemas.NoTerm do not count as anomalous (contract 7). They are ordered by
	// account, resource and event.
	Anomalies []schemas.Anomaly
	// Conservation is ordered by month and account; accounts that lived nothing
	// in a month are left out.
	Conservation []Conservation
}

// Anomalous counts the anomalies that contract 7 counts: all but no_term.
func (r *Result) Anomalous() int64 {
	var n int64
	for i := range r.Anomalies {
		if r.Anomalies[i].Reason != schemas.NoTerm {
			n++
		}
	}
	return n
}

// resourceKey is the identity of a resource (contract 1).
type resourceKey struct{ account, resource string }

// Compute derives everything from the full set of accepted copies, in any order.
func Compute(copies []Copy, s Settings) Result {
	counting, counts := choose(copies, s.Cutoffs)
	slices.SortFunc(counting, func(a, b *Copy) int { return a.Compare(&b.Event) })

	modes := map[string][]*Copy{}
	resources := map[resourceKey][]*Copy{}
	for _, c := range counting {
		if c.Type == schemas.AccountModeChanged {
			modes[c.AccountID] = append(modes[c.AccountID], c)
			continue
		}
		key := resourceKey{c.AccountID, c.ResourceID}
		resources[key] = append(resources[key], c)
	}

	keys := slices.SortedFunc(maps.Keys(resources), func(a, b resourceKey) int {
		return cmp.Or(strings.Compare(a.account, b.account), strings.Compare(a.resource, b.resource))
	})
	result := Result{Counts: counts}
	kept := map[Conservation]*Conservation{}
	for _, key := range keys {
		h := follow(resources[key], modes[key.account])
		p := place(&h)
		result.Anomalies = append(result.Anomalies, merged(h.anomalies, p.unmatched)...)
		for m := s.First; !s.Last.Before(m); m = m.Next() {
			result.Lines = append(result.Lines, p.month(key, m, s, kept)...)
		}
	}
	slices.SortStableFunc(result.Lines, func(a, b schemas.Line) int { return a.Month.Compare(b.Month) })
	for _, c := range kept {
		result.Conservation = append(result.Conservation, *c)
	}
	slices.SortFunc(result.Conservation, func(a, b Conservation) int {
		return cmp.Or(a.Month.Compare(b.Month), strings.Compare(a.AccountID, b.AccountID))
	})
	return result
}

// merged puts the anomalies of one resource into event order.
func merged(lifecycle, usage []anomaly) []schemas.Anomaly {
	all := slices.Concat(lifecycle, usage)
	slices.SortFunc(all, func(a, b anomaly) int { return a.of.Compare(&b.of.Event) })
	out := make([]schemas.Anomaly, len(all))
	for i, a := range all {
		out[i] = schemas.Anomaly{
			AccountID: a.of.AccountID, ResourceID: a.of.ResourceID,
			Event: schemas.EventRef{
				Source: a.of.Source, ID: a.of.ID, Type: a.of.Type, Time: a.of.Time, Position: a.of.Position,
			},
			Reason: a.why, Item: a.of.Item, Value: a.of.Value,
		}
	}
	return out
}
