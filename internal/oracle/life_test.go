package oracle

import (
	"testing"

	"github.com/reckon-billing/reckon/schemas"
)

func TestEveryStateAnswersEveryEvent(t *testing.T) {
	// The history that leads to each state, then what each event is in it: an
	// anomaly, or "" when it applies, and whether the resource runs afterwards.
	states := map[string]func(w *world) *world{
		"unknown": func(w *world) *world { return w },
		"running": func(w *world) *world {
			return w.add(schemas.ResourceCreated, "10-01 00:00:00", items(fixed("i", "43200")))
		},
		"suspended": func(w *world) *world {
			return w.add(schemas.ResourceCreated, "10-01 00:00:00", items(fixed("i", "43200"))).
				add(schemas.ResourceSuspended, "10-01 01:00:00")
		},
		"deleted": func(w *world) *world {
			return w.add(schemas.ResourceCreated, "10-01 00:00:00", items(fixed("i", "43200"))).
				add(schemas.ResourceDeleted, "10-01 01:00:00")
		},
	}
	type answer struct {
		reason string
		runs   bool
	}
	want := map[string]map[schemas.Type]answer{
		"unknown": {
			schemas.ResourceCreated: {"", true}, schemas.ResourceResized: {"unknown_resource", false},
			schemas.ResourceRenewed: {"unknown_resource", false}, schemas.ResourceSuspended: {"unknown_resource", false},
			schemas.ResourceResumed: {"unknown_resource", false}, schemas.ResourceDeleted: {"unknown_resource", false},
			schemas.ResourceRecovered: {"unknown_resource", false}, schemas.ResourceProvisionFailed: {"unknown_resource", false},
			schemas.UsageRecorded: {"unmatched_usage", false},
		},
		"running": {
			schemas.ResourceCreated: {"duplicate_create", true}, schemas.ResourceResized: {"", true},
			schemas.ResourceRenewed: {"no_effect", true}, schemas.ResourceSuspended: {"", false},
			schemas.ResourceResumed: {"no_effect", true}, schemas.ResourceDeleted: {"", false},
			schemas.ResourceRecovered: {"no_effect", true}, schemas.ResourceProvisionFailed: {"", false},
			schemas.UsageRecorded: {"unmatched_usage", true},
		},
		"suspended": {
			schemas.ResourceCreated: {"duplicate_create", false}, schemas.ResourceResized: {"", false},
			schemas.ResourceRenewed: {"no_effect", false}, schemas.ResourceSuspended: {"no_effect", false},
			schemas.ResourceResumed: {"", true}, schemas.ResourceDeleted: {"", false},
			schemas.ResourceRecovered: {"no_effect", false}, schemas.ResourceProvisionFailed: {"", false},
			schemas.UsageRecorded: {"unmatched_usage", false},
		},
		"deleted": {
			schemas.ResourceCreated: {"", true}, schemas.ResourceResized: {"after_delete", false},
			schemas.ResourceRenewed: {"after_delete", false}, schemas.ResourceSuspended: {"after_delete", false},
			schemas.ResourceResumed: {"after_delete", false}, schemas.ResourceDeleted: {"after_delete", false},
			schemas.ResourceRecovered: {"", true}, schemas.ResourceProvisionFailed: {"after_delete", false},
			schemas.UsageRecorded: {"unmatched_usage", false},
		},
	}
	for state, before := range states {
		for kind, a := range want[state] {
			t.Run(state+" "+string(kind), func(t *testing.T) {
				w := before(&world{t: t}).add(kind, "10-01 02:00:00", items(fixed("i", "43200")), value("none", "1"))
				r := Compute(w.copies, vnd(t, "2026-10", "2026-10"))
				if got := reasons(r); got != a.reason {
					t.Errorf("anomalies %q, want %q", got, a.reason)
				}
				runs := false
				for _, l := range r.Lines {
					runs = runs || l.PeriodEnd.Equal(at(t, "11-01 00:00:00"))
				}
				if runs != a.runs {
					t.Errorf("runs to the month's end: %v, want %v", runs, a.runs)
				}
			})
		}
	}
}

func TestHistories(t *testing.T) {
	i := items(fixed("i", "43200")) // a đồng a minute
	j := items(fixed("j", "86400")) // two
	for name, c := range map[string]struct {
		history func(w *world)
		lines   []string
		reasons string
	}{
		"a resource without an event in the month is billed (L1)": {func(w *world) {
			w.add(schemas.ResourceCreated, "02-01 10:00:00", i)
		}, []string{"10-01 00:00..11-01 00:00 i x1 44640m =44640"}, ""},
		"a change within a minute holds from that minute on": {func(w *world) {
			w.add(schemas.ResourceCreated, "10-01 10:00:30", i).add(schemas.ResourceResized, "10-01 10:05:59", j).
				add(schemas.ResourceDeleted, "10-01 10:06:00")
		}, []string{"10-01 10:00..10-01 10:05 i x1 5m =5", "10-01 10:05..10-01 10:06 j x1 1m =2"}, ""},
		"deleted within a minute still pays for it": {func(w *world) {
			w.add(schemas.ResourceCreated, "10-01 10:00:00", i).add(schemas.ResourceDeleted, "10-01 10:02:30")
		}, []string{"10-01 10:00..10-01 10:03 i x1 3m =3"}, ""},
		"20 seconds pay a minute": {func(w *world) {
			w.add(schemas.ResourceCreated, "10-01 10:00:10", i).add(schemas.ResourceDeleted, "10-01 10:00:30")
		}, []string{"10-01 10:00..10-01 10:01 i x1 1m =1"}, ""},
		"a millisecond of life pays nothing when it is no millisecond": {func(w *world) {
			w.add(schemas.ResourceCreated, "10-01 10:00:10", i).add(schemas.ResourceDeleted, "10-01 10:00:10")
		}, nil, ""},
		"a configuration replaced in its millisecond was never in force": {func(w *world) {
			w.add(schemas.ResourceCreated, "10-01 10:00:10", i).add(schemas.ResourceResized, "10-01 10:00:10", j).
				add(schemas.ResourceDeleted, "10-01 10:00:30")
		}, []string{"10-01 10:00..10-01 10:01 j x1 1m =2"}, ""},
		"of several changes in a minute the last has it": {func(w *world) {
			w.add(schemas.ResourceCreated, "10-01 10:00:00", i).add(schemas.ResourceResized, "10-01 10:05:10", j).
				add(schemas.ResourceResized, "10-01 10:05:20", i).add(schemas.ResourceDeleted, "10-01 10:10:00")
		}, []string{"10-01 10:00..10-01 10:10 i x1 10m =10"}, ""},
		"suspended and resumed in one minute is one period": {func(w *world) {
			w.add(schemas.ResourceCreated, "10-01 10:00:00", i).add(schemas.ResourceSuspended, "10-01 10:05:10").
				add(schemas.ResourceResumed, "10-01 10:05:50").add(schemas.ResourceDeleted, "10-01 10:10:00")
		}, []string{"10-01 10:00..10-01 10:10 i x1 10m =10"}, ""},
		"suspended and resumed in touching minutes is one period": {func(w *world) {
			w.add(schemas.ResourceCreated, "10-01 10:00:00", i).add(schemas.ResourceSuspended, "10-01 10:05:10").
				add(schemas.ResourceResumed, "10-01 10:06:00").add(schemas.ResourceDeleted, "10-01 10:10:00")
		}, []string{"10-01 10:00..10-01 10:10 i x1 10m =10"}, ""},
		"suspended makes a gap, and a resize in it holds when resumed": {func(w *world) {
			w.add(schemas.ResourceCreated, "10-01 10:00:00", i).add(schemas.ResourceSuspended, "10-01 10:05:00").
				add(schemas.ResourceResized, "10-01 10:06:00", j).add(schemas.ResourceResumed, "10-01 10:08:00").
				add(schemas.ResourceDeleted, "10-01 10:10:00")
		}, []string{"10-01 10:00..10-01 10:05 i x1 5m =5", "10-01 10:08..10-01 10:10 j x1 2m =4"}, ""},
		"an equal configuration closes nothing": {func(w *world) {
			w.add(schemas.ResourceCreated, "10-01 10:00:00", i).
				add(schemas.ResourceResized, "10-01 10:05:00", items(fixed("i", "43200.000"))).
				add(schemas.ResourceDeleted, "10-01 10:10:00")
		}, []string{"10-01 10:00..10-01 10:10 i x1 10m =10"}, ""},
		"a new life in the same minute takes the minute, and is another period": {func(w *world) {
			w.add(schemas.ResourceCreated, "10-01 10:00:00", i).add(schemas.ResourceDeleted, "10-01 10:05:10").
				add(schemas.ResourceCreated, "10-01 10:05:20", i).add(schemas.ResourceDeleted, "10-01 10:10:00")
		}, []string{"10-01 10:00..10-01 10:05 i x1 5m =5", "10-01 10:05..10-01 10:10 i x1 5m =5"}, ""},
		"recovered revives the last configuration": {func(w *world) {
			w.add(schemas.ResourceCreated, "10-01 10:00:00", i).add(schemas.ResourceDeleted, "10-01 10:05:00").
				add(schemas.ResourceRecovered, "10-01 10:07:00").add(schemas.ResourceDeleted, "10-01 10:10:00")
		}, []string{"10-01 10:00..10-01 10:05 i x1 5m =5", "10-01 10:07..10-01 10:10 i x1 3m =3"}, ""},
		"recovered at once is one period": {func(w *world) {
			w.add(schemas.ResourceCreated, "10-01 10:00:00", i).add(schemas.ResourceDeleted, "10-01 10:05:00").
				add(schemas.ResourceRecovered, "10-01 10:05:00").add(schemas.ResourceDeleted, "10-01 10:10:00")
		}, []string{"10-01 10:00..10-01 10:10 i x1 10m =10"}, ""},
		"recovered with another configuration runs that": {func(w *world) {
			w.add(schemas.ResourceCreated, "10-01 10:00:00", i).add(schemas.ResourceSuspended, "10-01 10:03:00").
				add(schemas.ResourceDeleted, "10-01 10:05:00").
				add(schemas.ResourceRecovered, "10-01 10:07:00", j).add(schemas.ResourceDeleted, "10-01 10:10:00")
		}, []string{"10-01 10:00..10-01 10:03 i x1 3m =3", "10-01 10:07..10-01 10:10 j x1 3m =6"}, ""},
		"a failed provisioning voids the life, and what was an anomaly in it": {func(w *world) {
			w.add(schemas.ResourceCreated, "10-01 10:00:00", i).add(schemas.ResourceResumed, "10-01 10:01:00").
				add(schemas.ResourceCreated, "10-01 10:02:00", j).
				add(schemas.ResourceProvisionFailed, "10-02 10:00:00").
				add(schemas.ResourceDeleted, "10-02 10:01:00")
		}, nil, "unknown_resource"},
		"a failed provisioning a second too late has no effect": {func(w *world) {
			w.add(schemas.ResourceCreated, "10-31 10:00:00", i).
				add(schemas.ResourceProvisionFailed, "11-01 10:00:01")
		}, []string{"10-31 10:00..11-01 00:00 i x1 840m =840"}, "too_late"},
		"a failed recovery leaves the resource deleted as it was": {func(w *world) {
			w.add(schemas.ResourceCreated, "10-01 10:00:00", i).add(schemas.ResourceDeleted, "10-01 10:05:00").
				add(schemas.ResourceRecovered, "10-01 10:05:00", j).add(schemas.ResourceProvisionFailed, "10-01 10:07:00").
				add(schemas.ResourceSuspended, "10-01 10:08:00").
				add(schemas.ResourceRecovered, "10-01 10:09:00").add(schemas.ResourceDeleted, "10-01 10:10:00")
		}, []string{"10-01 10:00..10-01 10:05 i x1 5m =5", "10-01 10:09..10-01 10:10 i x1 1m =1"}, "after_delete"},
		"the 24 hours count from a recovery, and a failed create counts not at all": {func(w *world) {
			w.add(schemas.ResourceCreated, "10-01 10:00:00", i).add(schemas.ResourceDeleted, "10-01 10:05:00").
				add(schemas.ResourceRecovered, "10-05 10:00:00").add(schemas.ResourceCreated, "10-06 09:00:00", j).
				add(schemas.ResourceProvisionFailed, "10-06 10:00:01").add(schemas.ResourceDeleted, "10-06 10:00:01")
		}, []string{"10-01 10:00..10-01 10:05 i x1 5m =5", "10-05 10:00..10-06 10:01 i x1 1441m =1441"}, "duplicate_create too_late"},
		// The readings of the package comment.
		"a void stretch takes no minute from the life before it, and no usage": {func(w *world) {
			w.add(schemas.ResourceCreated, "10-01 10:00:00", items(metered("m", schemas.Sum))).
				add(schemas.ResourceDeleted, "10-01 10:05:10").add(schemas.ResourceRecovered, "10-01 10:05:20").
				usage("m", "10-01 10:05:59", "1", "10-01 10:06:00", "10").add(schemas.ResourceProvisionFailed, "10-01 10:07:00")
		}, []string{"10-01 10:00..10-01 10:06 m x1 6m =1"}, "unmatched_usage"},
		"nor from one that is suspended, whose level it is": {func(w *world) {
			w.add(schemas.ResourceCreated, "10-01 10:00:00", items(metered("m", schemas.TimeWeighted))).
				add(schemas.ResourceSuspended, "10-01 10:03:00").
				add(schemas.ResourceDeleted, "10-01 10:05:10").add(schemas.ResourceRecovered, "10-01 10:05:20").
				usage("m", "10-01 10:05:59", "1", "10-01 10:06:00", "10").add(schemas.ResourceProvisionFailed, "10-01 10:07:00").
				add(schemas.ResourceRecovered, "10-01 10:08:00").add(schemas.ResourceDeleted, "10-01 10:10:00")
		}, []string{"10-01 10:00..10-01 10:03 m x0 3m =0", "10-01 10:08..10-01 10:10 m x1 2m =1"}, "unmatched_usage unmatched_usage"},
		"nor from the life that comes after it in its last minute": {func(w *world) {
			w.add(schemas.ResourceCreated, "10-01 10:00:00", j).add(schemas.ResourceProvisionFailed, "10-01 10:05:10").
				add(schemas.ResourceCreated, "10-01 10:05:50", items(metered("m", schemas.Sum))).
				usage("m", "10-01 10:04:59", "10").usage("m", "10-01 10:05:00", "1").add(schemas.ResourceDeleted, "10-01 10:06:00")
		}, []string{"10-01 10:05..10-01 10:06 m x1 1m =1"}, "unmatched_usage"},
		"a suspended life takes no minute from one that ran": {func(w *world) {
			w.add(schemas.ResourceCreated, "10-01 10:00:00", i).add(schemas.ResourceDeleted, "10-01 10:05:10").
				add(schemas.ResourceCreated, "10-01 10:05:20", i).add(schemas.ResourceSuspended, "10-01 10:05:20")
		}, []string{"10-01 10:00..10-01 10:06 i x1 6m =6"}, ""},
		"a life of no length is recovered": {func(w *world) {
			w.add(schemas.ResourceCreated, "10-01 10:00:00", j).add(schemas.ResourceDeleted, "10-01 10:00:00").
				add(schemas.ResourceRecovered, "10-01 10:01:00").add(schemas.ResourceDeleted, "10-01 10:02:00")
		}, []string{"10-01 10:01..10-01 10:02 j x1 1m =2"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := &world{t: t}
			c.history(w)
			r := Compute(w.copies, vnd(t, "2026-10", "2026-10"))
			expect(t, told(t, r), c.lines)
			if got := reasons(r); got != c.reasons {
				t.Errorf("anomalies %q, want %q", got, c.reasons)
			}
		})
	}
}

func TestMonthsAreAsLongAsTheirDays(t *testing.T) {
	for _, c := range []struct {
		zone, month string
		minutes     int64
	}{
		{"Asia/Ho_Chi_Minh", "2026-02", 28 * 1440},
		{"Asia/Ho_Chi_Minh", "2028-02", 29 * 1440},
		{"Asia/Ho_Chi_Minh", "2026-04", 30 * 1440},
		{"Asia/Ho_Chi_Minh", "2026-12", 31 * 1440},
		{"Asia/Ho_Chi_Minh", "2027-01", 31 * 1440},
		{"America/New_York", "2026-03", 31*1440 - 60},
		{"America/New_York", "2026-11", 30*1440 + 60},
		{"Asia/Kathmandu", "2026-10", 31 * 1440},
	} {
		w := (&world{t: t}).add(schemas.ResourceCreated, "2025-06-01 10:00:00", items(fixed("i", "43200")))
		s := vnd(t, c.month, c.month)
		s.Zone = zone(t, c.zone)
		r := Compute(w.copies, s)
		if len(r.Lines) != 1 || r.Lines[0].Minutes != c.minutes {
			t.Errorf("%s %s: got %+v, want %d minutes", c.zone, c.month, r.Lines, c.minutes)
		}
		if !r.Lines[0].PeriodStart.Equal(month(t, c.month).Start(s.Zone)) {
			t.Errorf("%s %s: starts %s", c.zone, c.month, r.Lines[0].PeriodStart)
		}
	}
}

func TestAYearEndIsClippedIntoTwoMonths(t *testing.T) {
	w := (&world{t: t}).add(schemas.ResourceCreated, "2026-12-31 23:58:30", items(fixed("i", "43200"))).
		add(schemas.ResourceDeleted, "2027-01-01 00:01:00")
	r := Compute(w.copies, vnd(t, "2026-11", "2027-02"))
	expect(t, told(t, r), []string{
		"12-31 23:58..01-01 00:00 i x1 2m =2", "01-01 00:00..01-01 00:01 i x1 1m =1",
	})
}

func TestResourcesOfOneNameInTwoAccountsAreTwo(t *testing.T) { // L6
	w := &world{t: t}
	w.add(schemas.ResourceCreated, "10-01 10:00:00", items(fixed("i", "43200")))
	w.add(schemas.ResourceCreated, "10-01 10:00:00", items(fixed("i", "43200")), func(e *schemas.Event) { e.AccountID = "b" })
	w.add(schemas.ResourceDeleted, "10-01 10:03:00")
	w.add(schemas.ResourceDeleted, "10-01 10:04:00", func(e *schemas.Event) { e.AccountID = "b" })
	r := Compute(w.copies, vnd(t, "2026-10", "2026-10"))
	expect(t, told(t, r), []string{"10-01 10:00..10-01 10:03 i x1 3m =3", "10-01 10:00..10-01 10:04 i x1 4m =4"})
}
