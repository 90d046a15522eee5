package clickhouse

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/reckon-billing/reckon/aggregate"
	"github.com/reckon-billing/reckon/internal/clickhouse/column"
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
		Number: number, Month: m, FirstMonth: schemas.Month{Year: 2026, Month: 9}, Currency: "VND", Zone: "Asia/Ho_Chi_Minh",
		CreatedAt: noon().AddDate(0, 0, int(number)),
		Cutoff: schemas.NewCutoff([]schemas.PartitionEnd{
			{Topic: "billing.lifecycle", End: lifecycle}, {Topic: "billing.usage", End: usage},
		}),
	})
	if err != nil {
		t.Fatal(err)
	}
	return run
}

func testCopies(t *testing.T, s *Store) {
	// The counting copy lies in the cutoff of run 1, although another has an
	// earlier Kafka timestamp; of the others one is equal, two are not.
	counting := usageEvent("a", "r", "x", noon(), 5)
	equal := usageEvent("a", "r", "x", noon(), 20)
	equal.Message.Time = noon().AddDate(0, 0, -1)
	otherMonth := usageEvent("a", "r", "x", noon().AddDate(0, 1, 0), 21)
	otherAccount := usageEvent("b", "r", "x", noon(), 22)
	// Without any run the lowest Kafka timestamp counts, then the position.
	early, late := usageEvent("a", "r", "y", noon(), 31), usageEvent("a", "r", "y", noon(), 30)
	early.Message.Time, late.Message.Time = noon(), noon().Add(time.Second)
	late.Event.Value = late.Event.Value.Add(late.Event.Value)
	single := usageEvent("a", "r", "z", noon(), 6)

	addRun(t, s, 1, "2026-09", 0, 10)
	addRun(t, s, 2, "2026-10", 0, 25)
	store(t, s, counting, single)
	store(t, s, equal, otherMonth, otherAccount, early, late)
	// The log redelivers, cut elsewhere.
	store(t, s, single, equal)
	store(t, s, otherMonth, otherAccount)

	want := Counts{Stored: 3, Duplicate: 1, Conflicting: 3}
	verdicts := []string{
		"x duplicate 20 of 5", "x conflict 21 of 5", "x conflict 22 of 5", "y conflict 30 of 31",
	}
	check := func(when string) {
		t.Helper()
		if got, err := s.Counts(t.Context()); err != nil || got != want {
			t.Errorf("%s: got %+v, %v, want %+v", when, got, err, want)
		}
		rows, err := direct(t, s).Query(t.Context(), "SELECT id, verdict, offset, counting_offset FROM repeated_events ORDER BY id, offset")
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = rows.Close() }()
		var got []string
		for rows.Next() {
			var id, verdict string
			var offset, counting int64
			if err := rows.Scan(&id, &verdict, &offset, &counting); err != nil {
				t.Fatal(err)
			}
			got = append(got, fmt.Sprintf("%s %s %d of %d", id, verdict, offset, counting))
		}
		if rows.Err() != nil || !slices.Equal(got, verdicts) {
			t.Errorf("%s: got %q, %v, want %q", when, got, rows.Err(), verdicts)
		}
		const sealedBy = "SELECT sealed_by FROM event_copies WHERE offset = {offset:Int64}"
		for offset, run := range map[int64]int64{5: 1, 6: 1, 20: 2, 30: 1<<63 - 1} {
			if got := number(t, s, sealedBy, column.Bind("offset", offset)); got != run {
				t.Errorf("%s: offset %d is sealed by %d, want %d", when, offset, got, run)
			}
		}
	}
	check("before a merge")
	merge(t, s, "events")
	check("after a merge")
}

func testMoved(t *testing.T, s *Store) {
	at := func(id string, offset int64, change func(*schemas.Event)) carried {
		row := usageEvent("a", "r", id, noon(), offset)
		change(&row.Event)
		return row
	}
	same := func(*schemas.Event) {}
	store(t, s,
		at("single", 1, same),
		at("twice", 2, same), at("twice", 3, same),
		at("another value", 4, same), at("another value", 5, func(e *schemas.Event) { e.Value = e.Value.Add(e.Value) }),
		at("time", 6, same), at("time", 7, func(e *schemas.Event) { e.Time = e.Time.AddDate(-1, 0, 0) }), at("time", 8, same),
		at("sequence", 9, same), at("sequence", 10, func(e *schemas.Event) { e.Sequence = 1 }),
		at("account", 11, same), at("account", 12, func(e *schemas.Event) { e.AccountID = "b" }),
		at("resource", 13, same), at("resource", 14, func(e *schemas.Event) { e.ResourceID = "s" }),
		at("beyond", 15, same), at("beyond", 101, func(e *schemas.Event) { e.ResourceID = "s" }),
		at("kind", 16, same),
	)
	store(t, s, lifecycleEvent(schemas.ResourceDeleted, "a", "r", "kind", noon(), 0))
	scope := whole()
	scope.Cutoff = schemas.NewCutoff([]schemas.PartitionEnd{{Topic: "billing.lifecycle", End: 100}, {Topic: "billing.usage", End: 100}})
	cursor, err := s.Strays(t.Context(), scope.Cutoff)
	got := collect(t, cursor, err)
	offsets := map[schemas.Hash][]string{}
	for i, m := range got {
		if i > 0 && strings.Compare(string(got[i-1].Identity[:]), string(m.Identity[:])) > 0 {
			t.Errorf("row %d is not ascending by identity", i)
		}
		offsets[m.Identity] = append(offsets[m.Identity], fmt.Sprintf("%s@%d", m.Position.Topic, m.Position.Offset))
		if want := noon().Add(time.Duration(m.Position.Offset) * time.Second); !m.KafkaTime.Equal(want) {
			t.Errorf("%v: Kafka timestamp %v, want %v", m.Position, m.KafkaTime, want)
		}
	}
	for id, want := range map[string]string{
		"time": "billing.usage@6 billing.usage@7 billing.usage@8", "sequence": "billing.usage@9 billing.usage@10",
		"account": "billing.usage@11 billing.usage@12", "resource": "billing.usage@13 billing.usage@14",
		"kind": "billing.lifecycle@0 billing.usage@16",
	} {
		identity := schemas.Identity("test", id)
		if got := strings.Join(offsets[identity], " "); got != want {
			t.Errorf("%s: got %q, want %q", id, got, want)
		}
		delete(offsets, identity)
	}
	if len(offsets) > 0 {
		t.Errorf("more than what moved: %q", offsets)
	}
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
		err := s.writeEdges(t.Context(), run, []schemas.Snapshot{{
			AccountID: account, ResourceID: resource, At: month(at), Deleted: deleted, State: state, CouponUsed: dec(t, "1000000000000000"), UsedBefore: dec(t, "30"),
		}})
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
		store(t, s, lifecycleEvent(schemas.ResourceDeleted, "a", resource, resource, noon(), int64(i)))
	}
	store(t, s, usageEvent("a", "dead, seen by usage", "u", noon(), 1))
	if err := direct(t, s).Exec(t.Context(), "INSERT INTO touched_resources VALUES (3, 'a', 'dead'), (3, 'a', 'alive')"); err != nil {
		t.Fatal(err)
	}

	scope := aggregate.Scope{Cutoff: everything(), From: noon(), To: noon().Add(time.Second), Month: month("2026-10"), Run: 3}
	read := func(change func(*aggregate.Scope)) string {
		t.Helper()
		asked := scope
		change(&asked)
		cursor, err := s.Snapshots(t.Context(), asked)
		var got []string
		for _, e := range collect(t, cursor, err) {
			if !e.CouponUsed.Equal(dec(t, "1000000000000000")) {
				t.Errorf("coupon used %s", e.CouponUsed)
			}
			if !e.UsedBefore.Equal(dec(t, "30")) {
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
	scope.Month, scope.Except = month("2026-09"), []string{"b"}
	if got, want := read(func(*aggregate.Scope) {}), "a/dead†=second death, settled 2026-09\na/dead, seen by usage†=dead 2026-09\na/older edge=no longer there 2026-09"; got != want {
		t.Errorf("an older edge: got\n%s\nwant\n%s", got, want)
	}
}

func testMarkTouched(t *testing.T, s *Store) {
	sealedTo := noon()
	deleted, failed := schemas.ResourceDeleted, schemas.ResourceProvisionFailed
	mode := func(account, id string, at time.Time, offset int64) carried {
		row := lifecycleEvent(schemas.AccountModeChanged, account, "", id, at, offset)
		row.Event.Mode = schemas.Postpaid
		return row
	}
	before, after, dayAfter := noon().Add(-time.Millisecond), noon(), noon().Add(24*time.Hour)
	store(t, s,
		// Inside the earlier cutoff.
		lifecycleEvent(deleted, "a", "old", "1", before, 0),
		lifecycleEvent(deleted, "mode", "one", "2", before, 1),
		lifecycleEvent(deleted, "mode", "two", "3", after.AddDate(0, 1, 0), 2),
		lifecycleEvent(deleted, "later mode", "one", "4", before, 3),
		lifecycleEvent(failed, "a", "failed before", "5", after, 4),
		// New.
		lifecycleEvent(deleted, "a", "late", "10", before, 10),
		lifecycleEvent(deleted, "a", "of this month", "11", after, 11),
		lifecycleEvent(deleted, "a", "failed before", "12", after, 12),
		lifecycleEvent(failed, "a", "failed now", "13", dayAfter.Add(-time.Millisecond), 13),
		lifecycleEvent(failed, "a", "failed too late", "14", dayAfter, 14),
		lifecycleEvent(deleted, "a", "failed too late", "15", after, 15),
		mode("mode", "16", before, 16),
		mode("later mode", "17", after, 17),
		lifecycleEvent(deleted, "mode", "three", "18", after, 18),
		// After the run's cutoff.
		lifecycleEvent(deleted, "a", "not yet", "20", before, 20),
		lifecycleEvent(deleted, "mode", "not yet", "21", before, 21),
	)
	store(t, s,
		usageEvent("a", "old usage", "30", before, 0),
		usageEvent("a", "late usage", "31", before, 10),
		usageEvent("a", "failed before, usage", "32", after, 11),
		lifecycleEvent(failed, "a", "failed before, usage", "33", after, 5),
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
	rows, err := direct(t, s).Query(t.Context(), `SELECT account_id || '/' || resource_id FROM touched_resources FINAL WHERE run = 2
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
