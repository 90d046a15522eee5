package fold

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/reckon-billing/reckon/schemas"
)

func at(t *testing.T, clock string) time.Time {
	t.Helper()
	x, err := time.Parse("2006-01-02 15:04:05.999", "2026-"+clock)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func fixed(name string) []schemas.Item {
	return []schemas.Item{{Name: name, Unit: "GB", UnitPrice: decimal.NewFromInt(1), Quantity: decimal.NewFromInt(1), Per: schemas.Per30d}}
}

// follow folds events written as "10-01 10:00:00 resized b", in order; a second
// word is the item of a new configuration.
func follow(t *testing.T, mode schemas.Mode, events ...string) *folder {
	t.Helper()
	f := &folder{}
	for i, said := range events {
		words := strings.Fields(said)
		e := schemas.Event{
			Source: "s", ID: fmt.Sprint(i), AccountID: "a", ResourceID: "r", Time: at(t, words[0]+" "+words[1]), Type: schemas.Type("resource." + words[2]),
		}
		if len(words) > 3 {
			e.Items = fixed(words[3])
		}
		f.apply(&e, refOf(&e, schemas.Position{}), mode)
	}
	return f
}

// L10, L11: every pair of state and event has an answer, and an event that cannot
// apply changes nothing.
func TestEveryStateAnswersEveryEvent(t *testing.T) {
	states := map[phase][]string{
		unknown:   nil,
		running:   {"10-01 10:00:00 created a"},
		suspended: {"10-01 10:00:00 created a", "10-01 11:00:00 suspended"},
		deleted:   {"10-01 10:00:00 created a", "10-01 11:00:00 deleted"},
	}
	// What becomes of the state or, for an anomaly, its reason.
	answers := map[string]map[phase]string{
		"created a": {unknown: "running", running: "duplicate_create", suspended: "duplicate_create", deleted: "running"},
		"resized b": {unknown: "unknown_resource", running: "running", suspended: "suspended", deleted: "after_delete"},
		"renewed b": {unknown: "unknown_resource", running: "running", suspended: "suspended", deleted: "after_delete"},
		"suspended": {unknown: "unknown_resource", running: "suspended", suspended: "no_effect", deleted: "after_delete"},
		"resumed":   {unknown: "unknown_resource", running: "no_effect", suspended: "running", deleted: "after_delete"},
		"deleted":   {unknown: "unknown_resource", running: "deleted", suspended: "deleted", deleted: "after_delete"},
		"recovered": {unknown: "unknown_resource", running: "no_effect", suspended: "no_effect", deleted: "running"},
		// A failed provisioning takes the first life back to nothing.
		"provision_failed": {unknown: "unknown_resource", running: "", suspended: "", deleted: "after_delete"},
	}
	for event, byState := range answers {
		for from, want := range byState {
			before := follow(t, schemas.Prepaid, states[from]...)
			after := follow(t, schemas.Prepaid, append(slices.Clone(states[from]), "10-01 12:00:00 "+event)...)
			got := string(after.Phase)
			// An account's own mode is prepaid here, and a created without a term is
			// listed, but applies.
			if n := len(after.anomalies); n > len(before.anomalies) && after.anomalies[n-1].Reason != schemas.NoTerm {
				got = string(after.anomalies[n-1].Reason)
				if after.Phase != from {
					t.Errorf("%s while %q: is an anomaly, yet made it %q", event, from, after.Phase)
				}
			}
			if got != want {
				t.Errorf("%s while %q: got %q, want %q", event, from, got, want)
			}
		}
	}
}

// L9, L12: a change closes and opens in one step, and every minute has one owner.
func TestSpansAreCutIntoMinutes(t *testing.T) {
	cases := map[string]struct {
		events []string
		want   string
	}{
		"a change at 10:00:30 holds from 10:00 on": {
			[]string{"10-01 09:00:00 created a", "10-01 10:00:30 resized b", "10-01 11:00:00 deleted"}, "09:00-10:00 a, 10:00-11:00 b",
		},
		"a resource deleted at 10:00:30 still pays for 10:00": {
			[]string{"10-01 09:00:00 created a", "10-01 10:00:30 deleted"}, "09:00-10:01 a",
		},
		"one deleted at 10:00:00.000 does not": {
			[]string{"10-01 09:00:00 created a", "10-01 10:00:00 deleted"}, "09:00-10:00 a",
		},
		"one that lived for 20 seconds pays a minute": {
			[]string{"10-01 09:00:10 created a", "10-01 09:00:30 deleted"}, "09:00-09:01 a",
		},
		"one that lived for 20 seconds over an edge pays two": {
			[]string{"10-01 09:00:50 created a", "10-01 09:01:10 deleted"}, "09:00-09:02 a",
		},
		"L5, L8: a configuration replaced in its very millisecond was never in force": {
			[]string{"10-01 09:00:00 created a", "10-01 09:00:00 resized b", "10-01 10:00:00 deleted"}, "09:00-10:00 b",
		},
		"L12: of several in one minute the last has it": {
			[]string{"10-01 09:00:00 created a", "10-01 10:00:10 resized b", "10-01 10:00:20 resized c", "10-01 10:00:40 resized d", "10-01 10:02:00 deleted"},
			"09:00-10:00 a, 10:00-10:02 d",
		},
		"there and back within a minute closes nothing": {
			[]string{"10-01 09:00:00 created a", "10-01 10:00:10 resized b", "10-01 10:00:20 resized a", "10-01 11:00:00 deleted"}, "09:00-11:00 a",
		},
		"suspended and resumed within a minute closes nothing": {
			[]string{"10-01 09:00:00 created a", "10-01 10:00:10 suspended", "10-01 10:00:20 resumed", "10-01 11:00:00 deleted"}, "09:00-11:00 a",
		},
		"a new life in the same minute has the minute, and is another period": {
			[]string{"10-01 09:00:00 created a", "10-01 10:00:10 deleted", "10-01 10:00:20 created a", "10-01 11:00:00 deleted"}, "09:00-10:00 a, 10:00-11:00 a",
		},
		"recovered goes on with the life that was": {
			[]string{"10-01 09:00:00 created a", "10-01 10:00:10 deleted", "10-01 10:00:20 recovered", "10-01 11:00:00 deleted"}, "09:00-11:00 a",
		},
		"a failed provisioning leaves nothing": {
			[]string{"10-01 09:00:00 created a", "10-01 10:00:10 resized b", "10-02 09:00:00 provision_failed"}, "",
		},
		"one that comes a millisecond too late changes nothing": {
			[]string{"10-01 09:00:00 created a", "10-02 09:00:00.001 provision_failed", "10-02 10:00:00 deleted"}, "09:00-10:00 a",
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, s := range merge(cut(follow(t, schemas.Postpaid, c.events...).spans, func(s *span) *interval { return &s.interval })) {
				got = append(got, fmt.Sprintf("%s-%s %s", timeOf(s.from).Format("15:04"), timeOf(s.to).Format("15:04"), s.items[0].Name))
			}
			if strings.Join(got, ", ") != c.want {
				t.Errorf("got %q, want %q", strings.Join(got, ", "), c.want)
			}
		})
	}
}

// C1, C3, C8: months are half-open in the billing zone, whatever their length.
func TestPeriodsAreClippedToBillingMonths(t *testing.T) {
	zone, err := time.LoadLocation("Asia/Ho_Chi_Minh")
	if err != nil {
		t.Fatal(err)
	}
	for month, minutes := range map[string]int64{
		"2026-02": 28 * 1440, "2028-02": 29 * 1440, "2026-04": 30 * 1440, "2026-12": 31 * 1440, "2027-01": 31 * 1440,
	} {
		m, err := schemas.ParseMonth(month)
		if err != nil {
			t.Fatal(err)
		}
		ever := span{interval: interval{0, forever}, configuration: &configuration{}}
		var got int64
		for _, p := range newCalendar(m, m, zone).clip([]span{ever}) {
			if p.month == m {
				got += p.to - p.from
			}
		}
		if got != minutes {
			t.Errorf("%s has %d minutes, want %d", month, got, minutes)
		}
	}
}
