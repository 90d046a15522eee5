package histories

import (
	"slices"
	"time"

	"github.com/shopspring/decimal"
	"pgregory.net/rapid"

	"github.com/reckon-billing/reckon/internal/oracle"
	"github.com/reckon-billing/reckon/schemas"
)

// Copies draws a history as it may lie in Kafka: its events in any order, some of
// them again, some again with other facts, with few different timestamps. Each
// event is there at least once. They stand in the order of arrival: offsets
// rise within a partition.
func Copies(c Config) *rapid.Generator[[]oracle.Copy] {
	return rapid.Custom(func(t *rapid.T) []oracle.Copy {
		events := Events(c).Draw(t, "history")
		latest := slices.MaxFunc(events, func(a, b schemas.Event) int { return a.Time.Compare(b.Time) }).Time
		again := rapid.SliceOfN(rapid.IntRange(0, len(events)-1), 0, 4).Draw(t, "copied")
		all := slices.Clone(events)
		for _, i := range again {
			e := events[i]
			if rapid.Bool().Draw(t, "conflicting") {
				e = altered(t, e)
			}
			all = append(all, e)
		}
		if rapid.Bool().Draw(t, "shuffled") {
			all = rapid.Permutation(all).Draw(t, "arrival")
		}
		next := map[schemas.Position]int64{}
		copies := make([]oracle.Copy, len(all))
		for i, e := range all {
			at := schemas.Position{Topic: "billing.lifecycle", Partition: rapid.Int32Range(0, 1).Draw(t, "partition")}
			if e.Type == schemas.UsageRecorded {
				at.Topic = "billing.usage"
			}
			partition := at
			at.Offset = next[partition]
			next[partition]++
			// No timestamp is so early that an event, also an altered one, is of its
			// future.
			stamp := latest.Add(pick(t, "stamp", 2*time.Hour, 2*time.Hour, 2*time.Hour+time.Millisecond, 3*time.Hour))
			copies[i] = oracle.Copy{Event: e, Position: at, KafkaTime: stamp.UTC()}
		}
		return copies
	})
}

// altered is the event with another fact, still whole.
func altered(t *rapid.T, e schemas.Event) schemas.Event {
	switch rapid.IntRange(0, 3).Draw(t, "altered") {
	case 0:
		e.Time = e.Time.Add(-pick(t, "earlier", time.Millisecond, time.Minute, 31*24*time.Hour))
	case 1:
		e.Sequence++
	case 2:
		e.AccountID = "a1x"
	default:
		switch {
		case e.Type == schemas.UsageRecorded:
			e.Value = e.Value.Add(decimal.New(1, 0))
		case e.Items != nil:
			e.Items = slices.Clone(e.Items)
			e.Items[0].UnitPrice = e.Items[0].UnitPrice.Add(decimal.New(1, -9))
		default:
			e.Time = e.Time.Add(time.Millisecond)
			if !e.ExpiresAt.IsZero() {
				e.ExpiresAt = e.ExpiresAt.Add(time.Millisecond)
			}
		}
	}
	return e
}

// Drawn draws the copies of a small history as they may lie in Kafka, logs them in
// the order of the events, and says with which month billing begins.
func Drawn(t *rapid.T, zone *time.Location) ([]oracle.Copy, schemas.Month) {
	c := Small(zone)
	copies := Copies(c).Draw(t, "copies")
	sorted := slices.Clone(copies)
	slices.SortFunc(sorted, func(a, b oracle.Copy) int { return a.Compare(&b.Event) })
	for _, x := range sorted {
		t.Logf("%s %s/%s %s seq %d %s/%s mode %q items %d %s=%s at %v", x.Time.In(zone).Format(time.RFC3339Nano), x.AccountID, x.ResourceID,
			x.Type, x.Sequence, x.Source, x.ID, x.Mode, len(x.Items), x.Item, x.Value, x.Position)
	}
	return copies, c.First
}

// Cutoffs are those of runs, as the naive calculator asks for them.
func Cutoffs(runs []schemas.Run) []schemas.Cutoff {
	out := make([]schemas.Cutoff, len(runs))
	for i := range runs {
		out[i] = runs[i].Cutoff
	}
	return out
}
