package events

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/reckon-billing/reckon/internal/clickhouse/clickhousetest"
	"github.com/reckon-billing/reckon/internal/clickhouse/column"
	"github.com/reckon-billing/reckon/schemas"
)

func testCopies(t *testing.T, s *Store) {
	// The counting copy lies in the cutoff of run 1, although another has an
	// earlier Kafka timestamp; of the others one is equal, two are not.
	counting := clickhousetest.UsageEvent("a", "r", "x", clickhousetest.Noon(), 5)
	equal := clickhousetest.UsageEvent("a", "r", "x", clickhousetest.Noon(), 20)
	equal.Message.Time = clickhousetest.Noon().AddDate(0, 0, -1)
	otherMonth := clickhousetest.UsageEvent("a", "r", "x", clickhousetest.Noon().AddDate(0, 1, 0), 21)
	otherAccount := clickhousetest.UsageEvent("b", "r", "x", clickhousetest.Noon(), 22)
	// Without any run the lowest Kafka timestamp counts, then the position.
	early, late := clickhousetest.UsageEvent("a", "r", "y", clickhousetest.Noon(), 31), clickhousetest.UsageEvent("a", "r", "y", clickhousetest.Noon(), 30)
	early.Message.Time, late.Message.Time = clickhousetest.Noon(), clickhousetest.Noon().Add(time.Second)
	late.Event.Value = late.Event.Value.Add(late.Event.Value)
	single := clickhousetest.UsageEvent("a", "r", "z", clickhousetest.Noon(), 6)

	// A run of another kind has the number between and a cutoff, and decides nothing.
	if err := clickhousetest.Direct(t, config(s)).Exec(t.Context(), `INSERT INTO runs (number, kind, month, created_at, first_month, currency, zone, cutoff) VALUES
		(1, 'seal', '2026-09', '2026-10-16 12:00:00', '2026-09', 'VND', 'Asia/Ho_Chi_Minh', [('billing.lifecycle', 0, 0), ('billing.usage', 0, 10)]),
		(2, 'account', '2026-10', '2026-10-16 18:00:00', '2026-09', 'VND', 'Asia/Ho_Chi_Minh', [('billing.lifecycle', 0, 0), ('billing.usage', 0, 23)]),
		(3, 'seal', '2026-10', '2026-10-17 12:00:00', '2026-09', 'VND', 'Asia/Ho_Chi_Minh', [('billing.lifecycle', 0, 0), ('billing.usage', 0, 25)])`); err != nil {
		t.Fatal(err)
	}
	clickhousetest.Store(t, s, counting, single)
	clickhousetest.Store(t, s, equal, otherMonth, otherAccount, early, late)
	// The log redelivers, cut elsewhere.
	clickhousetest.Store(t, s, single, equal)
	clickhousetest.Store(t, s, otherMonth, otherAccount)

	want := Counts{Stored: 3, Duplicate: 1, Conflicting: 3}
	verdicts := []string{
		"x duplicate 20 of 5", "x conflict 21 of 5", "x conflict 22 of 5", "y conflict 30 of 31",
	}
	check := func(when string) {
		t.Helper()
		if got, err := s.Counts(t.Context()); err != nil || got != want {
			t.Errorf("%s: got %+v, %v, want %+v", when, got, err, want)
		}
		rows, err := clickhousetest.Direct(t, config(s)).Query(t.Context(), "SELECT id, verdict, offset, counting_offset FROM repeated_events ORDER BY id, offset")
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
		for offset, run := range map[int64]int64{5: 1, 6: 1, 20: 3, 30: 1<<63 - 1} {
			if got := clickhousetest.Number(t, config(s), sealedBy, column.Bind("offset", offset)); got != run {
				t.Errorf("%s: offset %d is sealed by %d, want %d", when, offset, got, run)
			}
		}
	}
	check("before a merge")
	clickhousetest.Merge(t, config(s), "events")
	check("after a merge")
}

func testStrayCopies(t *testing.T, s *Store) {
	at := func(id string, offset int64, change func(*schemas.Event)) clickhousetest.Carried {
		row := clickhousetest.UsageEvent("a", "r", id, clickhousetest.Noon(), offset)
		change(&row.Event)
		return row
	}
	same := func(*schemas.Event) {}
	clickhousetest.Store(t, s,
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
	clickhousetest.Store(t, s, clickhousetest.LifecycleEvent(schemas.ResourceDeleted, "a", "r", "kind", clickhousetest.Noon(), 0))
	of := whole()
	of.Cutoff = schemas.NewCutoff([]schemas.PartitionEnd{{Topic: "billing.lifecycle", End: 100}, {Topic: "billing.usage", End: 100}})
	cursor, err := s.Strays(t.Context(), of.Cutoff)
	got := clickhousetest.Collect(t, cursor, err)
	offsets := map[schemas.Hash][]string{}
	for i, m := range got {
		if i > 0 && strings.Compare(string(got[i-1].Identity[:]), string(m.Identity[:])) > 0 {
			t.Errorf("row %d is not ascending by identity", i)
		}
		offsets[m.Identity] = append(offsets[m.Identity], fmt.Sprintf("%s@%d", m.Position.Topic, m.Position.Offset))
		if want := clickhousetest.Noon().Add(time.Duration(m.Position.Offset) * time.Second); !m.KafkaTime.Equal(want) {
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
		t.Errorf("more than the stray copies: %q", offsets)
	}
}
