package events

import (
	"fmt"
	"strings"
	"testing"

	"github.com/reckon-billing/reckon/internal/clickhouse/clickhousetest"
	"github.com/reckon-billing/reckon/internal/clickhouse/column"
	"github.com/reckon-billing/reckon/schemas"
)

// withoutIdentity counts the events that the check of identities would miss.
const withoutIdentity = `SELECT toInt64(count()) FROM events
	WHERE (reinterpretAsUInt64(identity), reinterpretAsUInt64(content)) NOT IN (SELECT identity, content FROM identities)`

func testIdentitiesFirst(t *testing.T, s *Store) {
	exec := func(statement string) {
		t.Helper()
		if err := clickhousetest.Direct(t, config(s)).Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	var batch []clickhousetest.Carried
	for i := range int64(100) {
		batch = append(batch, clickhousetest.UsageEvent("a", "r", fmt.Sprint(i), clickhousetest.Noon(), i))
	}
	// The events cannot be written: whatever was, was written before them.
	exec("RENAME TABLE events TO hidden")
	if err := clickhousetest.InsertEvents(t.Context(), s, batch...); err == nil {
		t.Fatal("stored without a table of events")
	}
	exec("RENAME TABLE hidden TO events")
	if n := clickhousetest.Number(t, config(s), "SELECT toInt64(count()) FROM identities"); n != 100 {
		t.Errorf("%d identities after a crash before the events, want 100", n)
	}
	if got := strayOffsets(t, s); len(got) != 0 {
		t.Errorf("identities without events are strays: %v", got)
	}
	// Identities cannot be written: no event is.
	exec("RENAME TABLE identities TO hidden")
	if err := clickhousetest.InsertEvents(t.Context(), s, batch...); err == nil {
		t.Fatal("stored without a table of identities")
	}
	exec("RENAME TABLE hidden TO identities")
	if n := clickhousetest.Number(t, config(s), "SELECT toInt64(count()) FROM events"); n != 0 {
		t.Errorf("%d events without their identities", n)
	}
	// The log redelivers, cut elsewhere, and some of it twice.
	for _, cut := range [][]clickhousetest.Carried{batch[:30], batch[30:], batch[50:60]} {
		clickhousetest.Store(t, s, cut...)
	}
	if n := clickhousetest.Number(t, config(s), withoutIdentity); n != 0 {
		t.Errorf("%d events without their identities", n)
	}
	if got := strayOffsets(t, s); len(got) != 0 {
		t.Errorf("redelivered messages are strays: %v", got)
	}
}

// strayOffsets are the offsets of each identity with stray copies, in the order they
// came in.
func strayOffsets(t *testing.T, s *Store) map[schemas.Hash]string {
	t.Helper()
	cursor, err := s.Strays(t.Context(), clickhousetest.Everything())
	got := map[schemas.Hash]string{}
	for _, m := range clickhousetest.Collect(t, cursor, err) {
		got[m.Identity] = strings.TrimSpace(fmt.Sprintf("%s %d", got[m.Identity], m.Position.Offset))
	}
	return got
}

// testStrayCopiesAmongMany looks at several ranges of identities, their first and their
// last among them, in parts that no merge has joined yet and in one.
func testStrayCopiesAmongMany(t *testing.T, s *Store) {
	lowest, highest := schemas.Hash{}, schemas.Hash{}
	for i := range highest {
		highest[i] = 0xff
	}
	want := map[schemas.Hash]string{lowest: "0 1", highest: "2 3"}
	insert := func(identity schemas.Hash, account string, offset int64) {
		t.Helper()
		const events = `INSERT INTO events (account_id, time, identity, content, topic, offset)
			VALUES ({account:String}, '2026-10-15', unhex({identity:String}), {account:String}, 'billing.usage', {offset:Int64})`
		const identities = `INSERT INTO identities SELECT reinterpretAsUInt64(unhex({identity:String})), reinterpretAsUInt64({account:String} || '0000000')`
		for _, statement := range []string{identities, events} {
			err := clickhousetest.Direct(t, config(s)).Exec(t.Context(), statement, column.Bind("account", account), column.Bind("offset", offset), column.Bind("identity", fmt.Sprintf("%x", identity)))
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	for i, identity := range []schemas.Hash{lowest, highest} {
		insert(identity, "a", int64(2*i))
		insert(identity, "b", int64(2*i+1))
	}
	for i := range int64(20) {
		identity := schemas.Identity("test", fmt.Sprint(i))
		insert(identity, "a", 10+2*i)
		if i%2 == 0 {
			insert(identity, "b", 11+2*i)
			want[identity] = fmt.Sprint(10+2*i, 11+2*i)
		} else {
			insert(identity, "a", 11+2*i) // a duplicate
		}
	}
	if err := clickhousetest.Direct(t, config(s)).Exec(t.Context(), "INSERT INTO identities SELECT sipHash64(number), number FROM numbers(1500000)"); err != nil {
		t.Fatal(err)
	}
	check := func(when string) {
		t.Helper()
		got := strayOffsets(t, s)
		for identity, offsets := range want {
			if got[identity] != offsets {
				t.Errorf("%s: identity %x: got %q, want %q", when, identity, got[identity], offsets)
			}
		}
		if len(got) != len(want) {
			t.Errorf("%s: %d identities with stray copies, want %d", when, len(got), len(want))
		}
	}
	check("in parts")
	clickhousetest.Merge(t, config(s), "identities")
	check("merged")
}
