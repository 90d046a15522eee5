package audit

import (
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/reckon-billing/reckon/internal/oracle"
	"github.com/reckon-billing/reckon/schemas"
)

// remembered is a history of one account whose resources are, when October ends, all that
// a snapshot can tell of, and go on in November.
func remembered() []oracle.Copy {
	var out []oracle.Copy
	add := func(clock string, kind schemas.Type, resource string, change func(*schemas.Event)) {
		at, err := time.Parse("2006-01-02 15:04:05", "2026-"+clock)
		if err != nil {
			panic(err)
		}
		var e schemas.Event
		e.Source, e.ID, e.Type, e.AccountID, e.ResourceID, e.Time = "products", fmt.Sprintf("e-%02d", len(out)), kind, "acme", resource, at.Add(-7*time.Hour).UTC()
		if change != nil {
			change(&e)
		}
		topic := "billing.lifecycle"
		if kind == schemas.UsageRecorded {
			topic = "billing.usage"
		}
		out = append(out, oracle.Copy{Event: e, Position: schemas.Position{Topic: topic, Offset: int64(len(out))}, KafkaTime: e.Time})
	}
	number := decimal.RequireFromString
	created := func(size string) func(*schemas.Event) {
		return func(e *schemas.Event) {
			e.ResourceName, e.Product, e.Service = "máy chủ "+e.ResourceID, "compute", "vm"
			e.Items = []schemas.Item{
				{Name: "server", Unit: "server", UnitPrice: number("165000.5"), Quantity: number(size), Per: schemas.Per30d, TaxPercent: number("10")},
				{Name: "disk", Unit: "GB", UnitPrice: number("12.25"), Meter: schemas.TimeWeighted, Per: schemas.Per30d, FreeQuantity: number("1.5"), DiscountPercent: number("7.5")},
				{Name: "traffic", Unit: "GB", UnitPrice: number("800"), Meter: schemas.Sum, Per: schemas.PerUse},
			}
		}
	}
	with := func(first, second func(*schemas.Event)) func(*schemas.Event) {
		return func(e *schemas.Event) { first(e); second(e) }
	}
	coupon := func(code, value string) func(*schemas.Event) {
		return func(e *schemas.Event) { e.Coupon = &schemas.Coupon{Code: code, Value: number(value)} }
	}
	used := func(item, value string) func(*schemas.Event) {
		return func(e *schemas.Event) { e.Item, e.Value = item, number(value) }
	}
	add("10-01 00:00:00", schemas.AccountModeChanged, "", func(e *schemas.Event) { e.Mode = schemas.Postpaid })
	add("10-02 08:00:00", schemas.ResourceCreated, "living", created("2"))
	add("10-03 08:00:30", schemas.ResourceCreated, "suspended", created("1"))
	add("10-04 08:00:00", schemas.ResourceSuspended, "suspended", nil)
	add("10-05 08:00:00", schemas.ResourceCreated, "deleted", created("1"))
	add("10-06 08:00:00", schemas.ResourceDeleted, "deleted", nil)
	add("10-07 08:00:00", schemas.ResourceCreated, "coupon", with(created("3"), coupon("TET", "900000")))
	add("10-08 08:00:00", schemas.ResourceCreated, "levels", created("1"))
	add("10-09 08:00:00", schemas.UsageRecorded, "levels", used("disk", "40.125"))
	add("10-10 08:00:00", schemas.UsageRecorded, "levels", used("traffic", "3"))
	add("10-11 08:00:00", schemas.ResourceCreated, "before", with(created("1"), coupon("OLD", "500000")))
	add("10-12 08:00:00", schemas.UsageRecorded, "before", used("disk", "7"))
	add("10-20 08:00:00", schemas.ResourceDeleted, "before", nil)
	add("10-31 12:00:00", schemas.ResourceRecovered, "before", coupon("NEW", "100000"))
	add("10-31 13:00:00", schemas.UsageRecorded, "before", used("disk", "9"))
	add("10-31 14:00:00", schemas.ResourceCreated, "failing", created("1"))
	add("11-01 09:00:00", schemas.ResourceProvisionFailed, "before", nil)
	add("11-01 10:00:00", schemas.ResourceProvisionFailed, "failing", nil)
	add("11-02 08:00:00", schemas.ResourceResumed, "suspended", nil)
	add("11-03 08:00:00", schemas.ResourceRecovered, "deleted", nil)
	add("11-04 08:00:00", schemas.ResourceRecovered, "before", nil)
	add("11-05 08:00:00", schemas.UsageRecorded, "living", used("traffic", "5"))
	add("11-06 08:00:00", schemas.ResourceCreated, "new", created("1"))
	return out
}

// storedSnapshots are those that an older version wrote of remembered when it sealed
// October, as the rows of its tables.
func storedSnapshots(t *testing.T, form string) map[snapshotKey]schemas.Snapshot {
	t.Helper()
	text, err := os.ReadFile("../../aggregate/fold/testdata/snapshots_" + form + ".tsv")
	if err != nil {
		t.Fatal(err)
	}
	out := map[snapshotKey]schemas.Snapshot{}
	for _, row := range strings.Split(strings.TrimSpace(string(text)), "\n")[1:] {
		c := strings.Split(row, "\t")
		at, err := schemas.ParseMonth(c[2])
		if err != nil {
			t.Fatal(err)
		}
		run, err := strconv.ParseInt(c[3], 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		state, err := strconv.Unquote(c[5])
		if err != nil {
			t.Fatal(err)
		}
		out[snapshotKey{at.Index(), c[0], c[1], run}] = schemas.Snapshot{
			AccountID: c[0], ResourceID: c[1], At: at, Deleted: c[4] == "true", State: state,
			CouponUsed: decimal.RequireFromString(c[6]), UsedBefore: decimal.RequireFromString(c[7]),
		}
	}
	return out
}

// sealNovember seals October and, after what change does to the snapshots, November.
func sealNovember(t *testing.T, change func(*memory)) *memory {
	t.Helper()
	z, m, october := zone(t, "Asia/Ho_Chi_Minh"), newMemory(), schemas.Month{Year: 2026, Month: 10}
	m.copies = remembered()
	for _, month := range []schemas.Month{october, october.Next()} {
		if _, err := sealer(m, z, october).Seal(context.Background(), month); err != nil {
			t.Fatal(err)
		}
		if month == october && change != nil {
			change(m)
		}
	}
	return m
}

// sameAsBefore compares what was issued and what is remembered. Snapshots of other forms
// are passed on as they are.
func sameAsBefore(t *testing.T, got, want *memory) {
	t.Helper()
	if got.dump() != want.dump() {
		t.Errorf("issued\n%s\nwant\n%s", got.dump(), want.dump())
	}
	if !maps.Equal(got.minutes, want.minutes) {
		t.Errorf("item-minutes %v, want %v", got.minutes, want.minutes)
	}
	for k, w := range want.snapshots {
		if k.run == 1 {
			continue // what November began with
		}
		if g := got.snapshots[k]; !g.CouponUsed.Equal(w.CouponUsed) || !g.UsedBefore.Equal(w.UsedBefore) || g.Deleted != w.Deleted {
			t.Errorf("the snapshot of %+v\n got %+v\nwant %+v", k, g, w)
		}
	}
}

func TestSnapshotsOfOlderVersionsAreReadOn(t *testing.T) {
	want := sealNovember(t, nil)
	for _, form := range []string{"json", "fixed"} {
		t.Run(form, func(t *testing.T) {
			older := storedSnapshots(t, form)
			got := sealNovember(t, func(m *memory) {
				if !slices.Equal(sortedNames(m.snapshots), sortedNames(older)) {
					t.Fatalf("snapshots of %v, of older versions %v", sortedNames(m.snapshots), sortedNames(older))
				}
				m.snapshots = maps.Clone(older)
			})
			sameAsBefore(t, got, want)
		})
	}
}

func sortedNames(all map[snapshotKey]schemas.Snapshot) []string {
	var out []string
	for k := range all {
		out = append(out, k.account+"/"+k.resource)
	}
	slices.Sort(out)
	return out
}

func TestEachSnapshotOfEachFormMayBeUnreadable(t *testing.T) {
	want := sealNovember(t, nil)
	for form, all := range map[string]map[snapshotKey]schemas.Snapshot{
		"json": storedSnapshots(t, "json"), "fixed": storedSnapshots(t, "fixed"), "fields": nil,
	} {
		for _, name := range sortedNames(storedSnapshots(t, "json")) {
			t.Run(form+" "+name, func(t *testing.T) {
				sameAsBefore(t, sealNovember(t, func(m *memory) {
					if all != nil {
						m.snapshots = maps.Clone(all)
					}
					for k, s := range m.snapshots {
						if k.account+"/"+k.resource == name {
							s.State = s.State[:len(s.State)-1]
							s.CouponUsed, s.UsedBefore = decimal.Zero, decimal.Zero
							m.snapshots[k] = s
						}
					}
				}), want)
			})
		}
	}
}
