package oracle

import (
	"testing"

	"github.com/reckon-billing/reckon/schemas"
)

// usage adds values of an item at times, written "time value".
func (w *world) usage(item string, pairs ...string) *world {
	w.t.Helper()
	for i := 0; i < len(pairs); i += 2 {
		w.add(schemas.UsageRecorded, pairs[i], value(item, pairs[i+1]))
	}
	return w
}

func TestEachMeter(t *testing.T) {
	for m, want := range map[schemas.Meter]string{
		schemas.Sum: "10", schemas.Count: "4", schemas.Max: "5.5", schemas.Min: "1",
		schemas.Last: "1", schemas.Avg: "2.5", schemas.Unique: "3",
		// Of ten minutes: 0 for one, 2.5 for two, 5.5 for three, 1 for four.
		schemas.TimeWeighted: "2.55",
	} {
		w := (&world{t: t}).add(schemas.ResourceCreated, "10-01 10:00:30", items(metered("m", m))).
			usage("m", "10-01 10:01:00", "2.5", "10-01 10:03:59", "5.5", "10-01 10:06:10", "1.0", "10-01 10:06:20", "1").
			add(schemas.ResourceDeleted, "10-01 10:09:01")
		r := Compute(w.copies, vnd(t, "2026-10", "2026-10"))
		if len(r.Lines) != 1 || r.Lines[0].Quantity.String() != want {
			t.Errorf("%s: got %v, want %s", m, told(t, r), want)
		}
	}
}

func TestWithoutUsageEveryMeterGivesAZeroLine(t *testing.T) { // D6
	for _, m := range []schemas.Meter{
		schemas.Sum, schemas.Count, schemas.Max, schemas.Min, schemas.Last, schemas.Avg, schemas.Unique, schemas.TimeWeighted,
	} {
		w := (&world{t: t}).add(schemas.ResourceCreated, "10-31 23:59:00", items(metered("m", m)))
		expect(t, told(t, Compute(w.copies, vnd(t, "2026-10", "2026-10"))), []string{"10-31 23:59..11-01 00:00 m x0 1m =0"})
	}
}

func TestQuantities(t *testing.T) {
	free := func(i schemas.Item, q string) schemas.Item {
		i.FreeQuantity = num(q)
		return i
	}
	for name, c := range map[string]struct {
		history func(w *world)
		lines   []string
		reasons string
	}{
		"an average is rounded half up to 9 decimals": {func(w *world) {
			w.add(schemas.ResourceCreated, "10-01 10:00:00", items(metered("m", schemas.Avg))).
				usage("m", "10-01 10:00:00", "0.000000001", "10-01 10:00:01", "0").add(schemas.ResourceDeleted, "10-01 10:01:00")
		}, []string{"10-01 10:00..10-01 10:01 m x0.000000001 1m =0"}, ""},
		"usage belongs to the minute of its period, also just before and after": {func(w *world) {
			w.add(schemas.ResourceCreated, "10-01 10:00:30", items(metered("m", schemas.Sum))).
				usage("m", "10-01 09:59:59", "1", "10-01 10:00:00", "10", "10-01 10:02:59", "100", "10-01 10:03:00", "1000").
				add(schemas.ResourceDeleted, "10-01 10:02:30")
		}, []string{"10-01 10:00..10-01 10:03 m x110 3m =110"}, "unmatched_usage unmatched_usage"},
		"usage at midnight is the new month's": {func(w *world) {
			w.add(schemas.ResourceCreated, "09-30 23:59:00", items(metered("m", schemas.Sum))).
				usage("m", "09-30 23:59:59", "1", "10-01 00:00:00", "10").add(schemas.ResourceDeleted, "10-01 00:01:00")
		}, []string{"10-01 00:00..10-01 00:01 m x10 1m =10"}, ""},
		"usage of an unknown item, of a fixed item, or while suspended is unmatched": {func(w *world) {
			w.add(schemas.ResourceCreated, "10-01 10:00:00", items(metered("m", schemas.Sum), fixed("f", "0"))).
				usage("x", "10-01 10:00:00", "1").usage("f", "10-01 10:00:00", "1").
				add(schemas.ResourceSuspended, "10-01 10:01:00").usage("m", "10-01 10:02:00", "1").
				add(schemas.ResourceDeleted, "10-01 10:03:00")
		}, []string{"10-01 10:00..10-01 10:01 m x0 1m =0", "10-01 10:00..10-01 10:01 f x1 1m =0"}, "unmatched_usage unmatched_usage unmatched_usage"},
		"a level holds over a resize, a suspension and the month's edge": {func(w *world) {
			// 6 from September on, 8 recorded while suspended, 10 in the last minute.
			w.add(schemas.ResourceCreated, "09-30 10:00:00", items(metered("m", schemas.TimeWeighted))).
				usage("m", "09-30 11:00:00", "6").
				add(schemas.ResourceSuspended, "10-01 00:02:00").usage("m", "10-01 00:03:00", "8").
				add(schemas.ResourceResumed, "10-01 00:04:00").usage("m", "10-01 00:05:30", "10").
				add(schemas.ResourceDeleted, "10-01 00:06:00")
		}, []string{"10-01 00:00..10-01 00:02 m x6 2m =6", "10-01 00:04..10-01 00:06 m x9 2m =9"}, "unmatched_usage"},
		"a level from before the item was metered holds": {func(w *world) {
			w.add(schemas.ResourceCreated, "10-01 10:00:00", items(fixed("f", "0"))).usage("m", "10-01 10:01:00", "7").
				add(schemas.ResourceResized, "10-01 10:02:00", items(metered("m", schemas.TimeWeighted))).
				add(schemas.ResourceDeleted, "10-01 10:03:00")
		}, []string{"10-01 10:00..10-01 10:02 f x1 2m =0", "10-01 10:02..10-01 10:03 m x7 1m =7"}, "unmatched_usage"},
		"a level holds over a recovery, but none from while deleted": {func(w *world) {
			w.add(schemas.ResourceCreated, "10-01 10:00:00", items(metered("m", schemas.TimeWeighted))).
				usage("m", "10-01 10:00:00", "3").add(schemas.ResourceDeleted, "10-01 10:01:00").
				usage("m", "10-01 10:02:00", "5").add(schemas.ResourceRecovered, "10-01 10:03:00").
				add(schemas.ResourceDeleted, "10-01 10:04:00")
		}, []string{"10-01 10:00..10-01 10:01 m x3 1m =3", "10-01 10:03..10-01 10:04 m x3 1m =3"}, "unmatched_usage"},
		"a level does not hold into a new life": {func(w *world) {
			w.add(schemas.ResourceCreated, "10-01 10:00:00", items(metered("m", schemas.TimeWeighted))).
				usage("m", "10-01 10:00:00", "3").add(schemas.ResourceDeleted, "10-01 10:01:00").
				add(schemas.ResourceCreated, "10-01 10:01:00", items(metered("m", schemas.TimeWeighted))).
				add(schemas.ResourceDeleted, "10-01 10:02:00")
		}, []string{"10-01 10:00..10-01 10:01 m x3 1m =3", "10-01 10:01..10-01 10:02 m x0 1m =0"}, ""},
		"a level from a void stretch does not count, and is unmatched": {func(w *world) {
			w.add(schemas.ResourceCreated, "10-01 10:00:00", items(metered("m", schemas.TimeWeighted))).
				usage("m", "10-01 10:00:00", "3").add(schemas.ResourceDeleted, "10-01 10:01:00").
				add(schemas.ResourceRecovered, "10-01 10:02:00").usage("m", "10-01 10:02:30", "9").
				add(schemas.ResourceProvisionFailed, "10-01 10:03:00").
				add(schemas.ResourceRecovered, "10-01 10:04:00").add(schemas.ResourceDeleted, "10-01 10:05:00")
		}, []string{"10-01 10:00..10-01 10:01 m x3 1m =3", "10-01 10:04..10-01 10:05 m x3 1m =3"}, "unmatched_usage"},
		"the largest allowance of the month, for sum and count alike, in period order": {func(w *world) {
			w.add(schemas.ResourceCreated, "10-01 10:00:00", items(metered("m", schemas.Sum))).usage("m", "10-01 10:00:00", "4").
				add(schemas.ResourceResized, "10-01 10:01:00", items(free(metered("m", schemas.Count), "6"))).
				usage("m", "10-01 10:01:01", "50", "10-01 10:01:02", "50", "10-01 10:01:03", "50").
				add(schemas.ResourceDeleted, "10-01 10:02:00").
				add(schemas.ResourceCreated, "10-01 10:03:00", items(free(metered("m", schemas.Sum), "5"))).
				usage("m", "10-01 10:03:00", "2").add(schemas.ResourceDeleted, "10-01 10:04:00")
		}, []string{
			"10-01 10:00..10-01 10:01 m x0 1m =0", "10-01 10:01..10-01 10:02 m x1 1m =1", "10-01 10:03..10-01 10:04 m x2 1m =2",
		}, ""},
		"for the other meters the allowance is each period's": {func(w *world) {
			w.add(schemas.ResourceCreated, "10-01 10:00:00", items(free(metered("m", schemas.Max), "4"))).usage("m", "10-01 10:00:00", "5").
				add(schemas.ResourceSuspended, "10-01 10:01:00").add(schemas.ResourceResumed, "10-01 10:02:00").
				usage("m", "10-01 10:02:00", "6").add(schemas.ResourceSuspended, "10-01 10:03:00").
				add(schemas.ResourceResumed, "10-01 10:04:00").usage("m", "10-01 10:04:00", "3").
				add(schemas.ResourceDeleted, "10-01 10:05:00")
		}, []string{
			"10-01 10:00..10-01 10:01 m x1 1m =1", "10-01 10:02..10-01 10:03 m x2 1m =2", "10-01 10:04..10-01 10:05 m x0 1m =0",
		}, ""},
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

func TestAnAllowanceIsOfItsMonth(t *testing.T) {
	i := metered("m", schemas.Sum)
	i.FreeQuantity = num("5")
	w := (&world{t: t}).add(schemas.ResourceCreated, "10-31 23:59:00", items(i)).
		usage("m", "10-31 23:59:00", "7", "11-01 00:00:00", "6").add(schemas.ResourceDeleted, "11-01 00:01:00")
	expect(t, told(t, Compute(w.copies, vnd(t, "2026-10", "2026-11"))), []string{
		"10-31 23:59..11-01 00:00 m x2 1m =2", "11-01 00:00..11-01 00:01 m x1 1m =1",
	})
}

func TestPrepaid(t *testing.T) {
	both := items(fixed("f", "43200"), metered("m", schemas.Sum))
	inherit := func(e *schemas.Event) { e.Mode = "" }
	ofAccount := func(m schemas.Mode) func(*schemas.Event) {
		return func(e *schemas.Event) { e.ResourceID, e.Mode = "", m }
	}
	for name, c := range map[string]struct {
		history func(w *world)
		lines   []string
		reasons string
	}{
		"without a mode change the account is prepaid: metered lines only, no coupon, no term": {func(w *world) {
			w.add(schemas.ResourceCreated, "10-01 10:00:00", both, inherit, coupon("C", "5")).usage("m", "10-01 10:00:00", "3").
				add(schemas.ResourceDeleted, "10-01 10:01:00")
		}, []string{"10-01 10:00..10-01 10:01 m x3 1m =3"}, "no_term"},
		"a mode change at the same instant holds, whatever its sequence": {func(w *world) {
			w.add(schemas.ResourceCreated, "10-01 10:00:00", both, inherit).add(schemas.ResourceDeleted, "10-01 10:01:00").
				add(schemas.AccountModeChanged, "10-01 10:00:00", ofAccount(schemas.Postpaid), func(e *schemas.Event) { e.Sequence = 9 }).
				add(schemas.AccountModeChanged, "10-01 10:00:01", ofAccount(schemas.Prepaid))
		}, []string{"10-01 10:00..10-01 10:01 f x1 1m =1", "10-01 10:00..10-01 10:01 m x0 1m =0"}, ""},
		"a later mode change does not change a life": {func(w *world) {
			w.add(schemas.ResourceCreated, "10-01 10:00:00", both, mode(schemas.Prepaid)).
				add(schemas.AccountModeChanged, "10-01 10:00:30", ofAccount(schemas.Postpaid)).
				add(schemas.ResourceDeleted, "10-01 10:01:00").add(schemas.ResourceRecovered, "10-01 10:02:00").
				add(schemas.ResourceDeleted, "10-01 10:03:00")
		}, []string{"10-01 10:00..10-01 10:01 m x0 1m =0", "10-01 10:02..10-01 10:03 m x0 1m =0"}, ""},
		"a renewal changes the configuration, and its coupon divides nothing": {func(w *world) {
			w.add(schemas.ResourceCreated, "10-01 10:00:00", both, mode(schemas.Prepaid)).
				add(schemas.ResourceRenewed, "10-01 10:01:00", coupon("C", "5")).
				add(schemas.ResourceRenewed, "10-01 10:02:00", items(metered("n", schemas.Sum))).
				add(schemas.ResourceDeleted, "10-01 10:03:00")
		}, []string{"10-01 10:00..10-01 10:02 m x0 2m =0", "10-01 10:02..10-01 10:03 n x0 1m =0"}, ""},
		"a void life has no anomaly at all, not even no_term": {func(w *world) {
			w.add(schemas.ResourceCreated, "10-01 10:00:00", both, inherit).add(schemas.ResourceProvisionFailed, "10-01 10:01:00")
		}, nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := &world{t: t}
			c.history(w)
			r := Compute(w.copies, vnd(t, "2026-10", "2026-10"))
			expect(t, told(t, r), c.lines)
			if got := reasons(r); got != c.reasons {
				t.Errorf("anomalies %q, want %q", got, c.reasons)
			}
			for _, k := range r.Conservation {
				if k.Lived != k.OnLines+k.Excluded {
					t.Errorf("conservation: %+v", k)
				}
			}
		})
	}
}

func TestCouponsOfALife(t *testing.T) {
	i := items(fixed("i", "43200"))
	for name, c := range map[string]struct {
		history func(w *world)
		lines   []string
	}{
		"oldest period first over the months, and the code stays when it is used up": {func(w *world) {
			w.add(schemas.ResourceCreated, "09-30 23:50:00", i, coupon("C", "15")).
				add(schemas.ResourceResized, "10-01 00:10:00", items(fixed("j", "43200"))).add(schemas.ResourceDeleted, "10-01 00:11:00")
		}, []string{
			"09-30 23:50..10-01 00:00 i x1 10m =0 (C 10)", "10-01 00:00..10-01 00:10 i x1 10m =5 (C 5)",
			"10-01 00:10..10-01 00:11 j x1 1m =1 (C 0)",
		}},
		"time before the first month uses nothing of it": {func(w *world) {
			w.add(schemas.ResourceCreated, "08-01 10:00:00", i, coupon("C", "5")).add(schemas.ResourceDeleted, "09-01 00:10:00")
		}, []string{"09-01 00:00..09-01 00:10 i x1 10m =5 (C 5)"}},
		"a recovered one replaces it and divides the period, the same code too": {func(w *world) {
			w.add(schemas.ResourceCreated, "10-01 10:00:00", i, coupon("C", "100")).add(schemas.ResourceDeleted, "10-01 10:05:00").
				add(schemas.ResourceRecovered, "10-01 10:05:00", coupon("C", "3")).add(schemas.ResourceDeleted, "10-01 10:10:00")
		}, []string{"10-01 10:00..10-01 10:05 i x1 5m =0 (C 5)", "10-01 10:05..10-01 10:10 i x1 5m =2 (C 3)"}},
		"it goes on over a recovery that brings none": {func(w *world) {
			w.add(schemas.ResourceCreated, "10-01 10:00:00", i, coupon("C", "7")).add(schemas.ResourceDeleted, "10-01 10:05:00").
				add(schemas.ResourceRecovered, "10-01 10:06:00").add(schemas.ResourceDeleted, "10-01 10:10:00")
		}, []string{"10-01 10:00..10-01 10:05 i x1 5m =0 (C 5)", "10-01 10:06..10-01 10:10 i x1 4m =2 (C 2)"}},
		"the rest is lost with the life": {func(w *world) {
			w.add(schemas.ResourceCreated, "10-01 10:00:00", i, coupon("C", "7")).add(schemas.ResourceDeleted, "10-01 10:05:00").
				add(schemas.ResourceCreated, "10-01 10:06:00", i).add(schemas.ResourceDeleted, "10-01 10:10:00")
		}, []string{"10-01 10:00..10-01 10:05 i x1 5m =0 (C 5)", "10-01 10:06..10-01 10:10 i x1 4m =4"}},
		"one that a void recovery brought never was": {func(w *world) {
			w.add(schemas.ResourceCreated, "10-01 10:00:00", i, coupon("C", "7")).add(schemas.ResourceDeleted, "10-01 10:05:00").
				add(schemas.ResourceRecovered, "10-01 10:06:00", coupon("D", "9")).add(schemas.ResourceProvisionFailed, "10-01 10:07:00").
				add(schemas.ResourceRecovered, "10-01 10:08:00").add(schemas.ResourceDeleted, "10-01 10:10:00")
		}, []string{"10-01 10:00..10-01 10:05 i x1 5m =0 (C 5)", "10-01 10:08..10-01 10:10 i x1 2m =0 (C 2)"}},
		"one that comes with an event without effect never was": {func(w *world) {
			w.add(schemas.ResourceCreated, "10-01 10:00:00", i).add(schemas.ResourceRecovered, "10-01 10:01:00", coupon("D", "9")).
				add(schemas.ResourceRenewed, "10-01 10:02:00", coupon("D", "9")).add(schemas.ResourceDeleted, "10-01 10:10:00")
		}, []string{"10-01 10:00..10-01 10:10 i x1 10m =10"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := &world{t: t}
			c.history(w)
			expect(t, told(t, Compute(w.copies, vnd(t, "2026-09", "2026-10"))), c.lines)
		})
	}
}

func TestTheCopyThatCounts(t *testing.T) { // A12
	base := func(offset int64, minute, v string) Copy {
		return Copy{
			Event: schemas.Event{
				Source: "s", ID: "1", Type: schemas.UsageRecorded, AccountID: "a", ResourceID: "r",
				Time: at(t, "10-01 10:00:00"), Usage: schemas.Usage{Item: "m", Value: num(v)},
			},
			Position: schemas.Position{Topic: "t", Offset: offset}, KafkaTime: at(t, "10-01 "+minute),
		}
	}
	for name, c := range map[string]struct {
		copies  []Copy
		cutoffs []schemas.Cutoff
		want    string
		counts  Counts
	}{
		"the lowest timestamp, then the lowest offset": {
			[]Copy{base(3, "10:01:00", "3"), base(2, "10:00:00", "2"), base(1, "10:00:00", "1"), base(0, "10:01:00", "4"), base(4, "10:02:00", "1.0")},
			nil, "1",
			Counts{1, 1, 3},
		},
		"but first the one that the earliest seal saw": {
			[]Copy{base(9, "10:00:00", "9"), base(5, "10:05:00", "5"), base(6, "10:01:00", "6")},
			[]schemas.Cutoff{{{Topic: "t", End: 3}}, {{Topic: "t", End: 6}}, {{Topic: "t", End: 7}}},
			"5",
			Counts{1, 0, 2},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, counts := choose(c.copies, c.cutoffs)
			if len(got) != 1 || got[0].Value.String() != c.want || counts != c.counts {
				t.Errorf("got %+v %+v, want %s %+v", got, counts, c.want, c.counts)
			}
		})
	}
}
