package clickhouse

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/reckon-billing/reckon/aggregate"
	"github.com/reckon-billing/reckon/internal/clickhouse/clickhousetest"
	"github.com/reckon-billing/reckon/invoicer"
	"github.com/reckon-billing/reckon/schemas"
)

// addRun writes down a run of a month whose cutoff is the end of both
// partitions of the tests.
func addRun(t *testing.T, s *Store, number int64, month string, lifecycle, usage int64) schemas.Run {
	t.Helper()
	m, err := schemas.ParseMonth(month)
	if err != nil {
		t.Fatal(err)
	}
	run, err := s.AddRun(t.Context(), schemas.Run{
		Number: number, Kind: schemas.KindSeal, Month: m, FirstMonth: schemas.Month{Year: 2026, Month: 9}, Currency: "VND", Zone: "Asia/Ho_Chi_Minh",
		CreatedAt: clickhousetest.Noon().AddDate(0, 0, int(number)),
		Cutoff: schemas.NewCutoff([]schemas.PartitionEnd{
			{Topic: "billing.lifecycle", End: lifecycle}, {Topic: "billing.usage", End: usage},
		}),
	})
	if err != nil {
		t.Fatal(err)
	}
	return run
}

func testEdges(t *testing.T, s *Store) {
	month := func(text string) schemas.Month {
		m, err := schemas.ParseMonth(text)
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	write := func(run int64, at, account, resource, state string, deleted bool) {
		t.Helper()
		err := s.Write(t.Context(), invoicer.Batch{Run: schemas.Run{Number: run}, Snapshots: []schemas.Snapshot{{
			Run: run, AccountID: account, ResourceID: resource, At: month(at), Deleted: deleted, State: state, CouponUsed: clickhousetest.Dec(t, "1000000000000000"), UsedBefore: clickhousetest.Dec(t, "30"),
		}}})
		if err != nil {
			t.Fatal(err)
		}
	}
	write(1, "2026-10", "a", "", "mode", false)
	write(1, "2026-10", "a", "alive", "old", false)
	write(2, "2026-10", "a", "alive", "settled", false)
	write(5, "2026-10", "a", "alive", "of a later run", false)
	write(1, "2026-09", "a", "older edge", "no longer there", false)
	write(1, "2026-10", "a", "settled away", "alive", false)
	write(2, "2026-10", "a", "settled away", "", true)
	write(1, "2026-10", "a", "settled away, seen", "alive", false)
	write(2, "2026-10", "a", "settled away, seen", "", true)
	write(1, "2026-09", "a", "back again", "dead", true)
	write(1, "2026-10", "a", "back again", "alive", false)
	write(1, "2026-08", "a", "dead", "first death", true)
	write(1, "2026-09", "a", "dead", "second death", true)
	write(2, "2026-09", "a", "dead", "second death, settled", true)
	write(1, "2026-08", "a", "dead, unseen", "dead", true)
	write(1, "2026-11", "a", "dead later", "dead", true)
	write(5, "2026-09", "a", "dead by a later run", "dead", true)
	write(1, "2026-09", "a", "dead, seen by usage", "dead", true)
	write(2, "2026-10", "a", "revived by settling", "alive", false)
	write(1, "2026-10", "a", "revived by settling", "dead", true)
	write(1, "2026-10", "b", "alive", "b", false)
	for i, resource := range []string{"settled away, seen", "dead", "dead later", "dead by a later run", "revived by settling", "alive"} {
		clickhousetest.Store(t, s, clickhousetest.LifecycleEvent(schemas.ResourceDeleted, "a", resource, resource, clickhousetest.Noon(), int64(i)))
	}
	clickhousetest.Store(t, s, clickhousetest.UsageEvent("a", "dead, seen by usage", "u", clickhousetest.Noon(), 1))
	if err := clickhousetest.Direct(t, config(s)).Exec(t.Context(), "INSERT INTO touched_resources VALUES (3, 'a', 'dead'), (3, 'a', 'alive')"); err != nil {
		t.Fatal(err)
	}

	of := aggregate.Scope{Cutoff: clickhousetest.Everything(), From: clickhousetest.Noon(), To: clickhousetest.Noon().Add(time.Second), Month: month("2026-10"), Run: 3}
	read := func(change func(*aggregate.Scope)) string {
		t.Helper()
		asked := of
		change(&asked)
		cursor, err := s.Snapshots(t.Context(), asked)
		var got []string
		for _, e := range clickhousetest.Collect(t, cursor, err) {
			if !e.CouponUsed.Equal(clickhousetest.Dec(t, "1000000000000000")) {
				t.Errorf("coupon used %s", e.CouponUsed)
			}
			if !e.UsedBefore.Equal(clickhousetest.Dec(t, "30")) {
				t.Errorf("coupon used before %s", e.UsedBefore)
			}
			dead := ""
			if e.Deleted {
				dead = "†"
			}
			got = append(got, fmt.Sprintf("%s/%s%s=%s %s", e.AccountID, e.ResourceID, dead, e.State, e.At))
		}
		return strings.Join(got, "\n")
	}
	want := strings.Join([]string{
		"a/=mode 2026-10",
		"a/alive=settled 2026-10",
		"a/back again=alive 2026-10",
		"a/dead†=second death, settled 2026-09",
		"a/dead, seen by usage†=dead 2026-09",
		"a/revived by settling=alive 2026-10",
		"a/settled away, seen†= 2026-10",
		"b/alive=b 2026-10",
	}, "\n")
	if got := read(func(*aggregate.Scope) {}); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if got := read(func(s *aggregate.Scope) { s.Month = schemas.Month{} }); got != "" {
		t.Errorf("before the first month: %s", got)
	}
	if got, want := read(func(s *aggregate.Scope) { s.Accounts = []string{"b"} }), "b/alive=b 2026-10"; got != want {
		t.Errorf("of one account: got %s, want %s", got, want)
	}
	want = "a/=mode 2026-10\na/alive=settled 2026-10\na/dead†=second death, settled 2026-09"
	if got := read(func(s *aggregate.Scope) { s.Touched = aggregate.OnlyTouched }); got != want {
		t.Errorf("only touched: got\n%s\nwant\n%s", got, want)
	}
	of.Month, of.Except = month("2026-09"), []string{"b"}
	if got, want := read(func(*aggregate.Scope) {}), "a/dead†=second death, settled 2026-09\na/dead, seen by usage†=dead 2026-09\na/older edge=no longer there 2026-09"; got != want {
		t.Errorf("an older edge: got\n%s\nwant\n%s", got, want)
	}
}

func testMarkTouched(t *testing.T, s *Store) {
	sealedTo := clickhousetest.Noon()
	deleted, failed := schemas.ResourceDeleted, schemas.ResourceProvisionFailed
	mode := func(account, id string, at time.Time, offset int64) clickhousetest.Carried {
		row := clickhousetest.LifecycleEvent(schemas.AccountModeChanged, account, "", id, at, offset)
		row.Event.Mode = schemas.Postpaid
		return row
	}
	before, after, dayAfter := clickhousetest.Noon().Add(-time.Millisecond), clickhousetest.Noon(), clickhousetest.Noon().Add(24*time.Hour)
	clickhousetest.Store(t, s,
		// Inside the earlier cutoff.
		clickhousetest.LifecycleEvent(deleted, "a", "old", "1", before, 0),
		clickhousetest.LifecycleEvent(deleted, "mode", "one", "2", before, 1),
		clickhousetest.LifecycleEvent(deleted, "mode", "two", "3", after.AddDate(0, 1, 0), 2),
		clickhousetest.LifecycleEvent(deleted, "later mode", "one", "4", before, 3),
		clickhousetest.LifecycleEvent(failed, "a", "failed before", "5", after, 4),
		// New.
		clickhousetest.LifecycleEvent(deleted, "a", "late", "10", before, 10),
		clickhousetest.LifecycleEvent(deleted, "a", "of this month", "11", after, 11),
		clickhousetest.LifecycleEvent(deleted, "a", "failed before", "12", after, 12),
		clickhousetest.LifecycleEvent(failed, "a", "failed now", "13", dayAfter.Add(-time.Millisecond), 13),
		clickhousetest.LifecycleEvent(failed, "a", "failed too late", "14", dayAfter, 14),
		clickhousetest.LifecycleEvent(deleted, "a", "failed too late", "15", after, 15),
		mode("mode", "16", before, 16),
		mode("later mode", "17", after, 17),
		clickhousetest.LifecycleEvent(deleted, "mode", "three", "18", after, 18),
		// After the run's cutoff.
		clickhousetest.LifecycleEvent(deleted, "a", "not yet", "20", before, 20),
		clickhousetest.LifecycleEvent(deleted, "mode", "not yet", "21", before, 21),
	)
	clickhousetest.Store(t, s,
		clickhousetest.UsageEvent("a", "old usage", "30", before, 0),
		clickhousetest.UsageEvent("a", "late usage", "31", before, 10),
		clickhousetest.UsageEvent("a", "failed before, usage", "32", after, 11),
		clickhousetest.LifecycleEvent(failed, "a", "failed before, usage", "33", after, 5),
	)
	since := addRun(t, s, 1, "2026-09", 10, 10)
	run := addRun(t, s, 2, "2026-10", 20, 20)
	want := []string{
		"a/failed before", "a/failed now", "a/late", "a/late usage",
		"mode/", "mode/one", "mode/three", "mode/two",
	}
	for range 2 {
		n, err := s.MarkTouched(t.Context(), run, since.Cutoff, sealedTo)
		if err != nil || n != int64(len(want)) {
			t.Errorf("marked %d, %v, want %d", n, err, len(want))
		}
	}
	rows, err := clickhousetest.Direct(t, config(s)).Query(t.Context(), `SELECT account_id || '/' || resource_id FROM touched_resources FINAL WHERE run = 2
		ORDER BY account_id, resource_id`)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	var got []string
	for rows.Next() {
		var one string
		if err := rows.Scan(&one); err != nil {
			t.Fatal(err)
		}
		got = append(got, one)
	}
	if rows.Err() != nil || !slices.Equal(got, want) {
		t.Errorf("got %q, %v, want %q", got, rows.Err(), want)
	}
	if n, err := s.MarkTouched(t.Context(), schemas.Run{Number: 3, Cutoff: run.Cutoff}, run.Cutoff, sealedTo); err != nil || n != 0 {
		t.Errorf("nothing new: marked %d, %v", n, err)
	}
	if n, err := s.MarkTouched(t.Context(), schemas.Run{Number: 4, Cutoff: run.Cutoff}, nil, time.Time{}); err != nil || n != 0 {
		t.Errorf("nothing sealed: marked %d, %v", n, err)
	}
}
