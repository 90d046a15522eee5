package events

import (
	"context"
	"errors"
	"io"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/shopspring/decimal"

	"github.com/reckon-billing/reckon/aggregate"
	"github.com/reckon-billing/reckon/ingest"
	"github.com/reckon-billing/reckon/internal/clickhouse/clickhousetest"
	"github.com/reckon-billing/reckon/internal/clickhouse/column"
	"github.com/reckon-billing/reckon/internal/clickhouse/scope"
	"github.com/reckon-billing/reckon/schemas"
	"github.com/reckon-billing/reckon/schemas/codec"
)

// whole is the scope of all that is stored.
func whole() aggregate.Scope {
	latest := time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)
	return aggregate.Scope{Cutoff: clickhousetest.Everything(), To: latest, UsageTo: latest, Run: 1, Named: true}
}

func testEventsRoundTrip(t *testing.T, s *Store) {
	long := strings.Repeat("ế", 85) // 255 bytes
	first, last := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2199, 12, 31, 23, 59, 59, 999e6, time.UTC)
	created := schemas.Event{
		Source: "//dịch-vụ/máy chủ", ID: `a'b"c\d{e}`, Type: schemas.ResourceCreated, AccountID: "khách hàng", ResourceID: long,
		Time: first, Sequence: 1<<63 - 1,
		Lifecycle: schemas.Lifecycle{
			Mode: schemas.Prepaid, ResourceName: "Máy chủ số 1", Product: "vServer", Service: "Điện toán",
			Items: []schemas.Item{{
				Name: "cpu", Unit: "vCPU", UnitPrice: clickhousetest.Dec(t, "99999999999999999999.999999999"), Quantity: clickhousetest.Dec(t, "0.000000001"),
				Per: schemas.Per30d, DiscountPercent: clickhousetest.Dec(t, "12.3456"), TaxPercent: clickhousetest.Dec(t, "10"),
			}, {
				Name: "băng thông", Unit: "GB", UnitPrice: clickhousetest.Dec(t, "1000"), Meter: schemas.TimeWeighted, Per: schemas.PerUse,
				FreeQuantity: clickhousetest.Dec(t, "12345678901234567890.123456789"),
			}},
			Coupon:    &schemas.Coupon{Code: "TẾT", Value: clickhousetest.Dec(t, "1000000000000000")},
			ExpiresAt: last, AutoRenew: true,
		},
	}
	usage := schemas.Event{
		Source: "s", ID: "u", Type: schemas.UsageRecorded, AccountID: "khách hàng", ResourceID: long, Time: last,
		Usage: schemas.Usage{Item: "băng thông", Value: clickhousetest.Dec(t, "12345678901234567890.123456789")},
	}
	rows := []clickhousetest.Carried{clickhousetest.Accepted(created, "billing.lifecycle", 7), clickhousetest.Accepted(usage, "billing.usage", 1<<31)}
	rows[0].Message.Headers = []schemas.Header{{Key: "k", Value: []byte{0, 0xff, '\''}}, {Key: "k", Value: nil}}
	clickhousetest.Store(t, s, rows...)

	for what, want := range map[aggregate.What]schemas.Event{aggregate.Lifecycle: created, aggregate.Usage: usage} {
		cursor, err := events(t.Context(), s, whole(), what)
		got := clickhousetest.Collect(t, cursor, err)
		if len(got) != 1 || got[0].Err != nil {
			t.Fatalf("%v: got %d rows, %+v", what, len(got), got)
		}
		wantBytes, gotBytes := codec.AppendData(nil, &want), codec.AppendData(nil, &got[0].Event)
		if string(wantBytes) != string(gotBytes) || got[0].Compare(&want) != 0 || codec.Content(&got[0].Event) != codec.Content(&want) ||
			got[0].Type != want.Type || got[0].ResourceID != want.ResourceID {
			t.Errorf("got  %s\nwant %s", gotBytes, wantBytes)
		}
		if got[0].Time.Location() != time.UTC || got[0].KafkaTime.Location() != time.UTC {
			t.Error("a time is not in UTC")
		}
		m := rows[what].Message
		if got[0].Position != m.Position || !got[0].KafkaTime.Equal(m.Time) {
			t.Errorf("position %v at %v, want %v at %v", got[0].Position, got[0].KafkaTime, m.Position, m.Time)
		}
	}
	var raw, identity, content string
	var keys, values []string
	err := clickhousetest.Direct(t, config(s)).QueryRow(t.Context(), "SELECT raw, identity, content, header_keys, header_values FROM events WHERE NOT is_usage").
		Scan(&raw, &identity, &content, &keys, &values)
	hash, sum := schemas.Identity(created.Source, created.ID), codec.Content(&created)
	if err != nil || raw != `{"raw":true}` || identity != string(hash[:]) || content != string(sum[:]) ||
		!slices.Equal(keys, []string{"k", "k"}) || !slices.Equal(values, []string{"\x00\xff'", ""}) {
		t.Errorf("got %q %q %q %v, %v", raw, keys, values, identity == string(hash[:]), err)
	}
}

func testRefusesWhatDoesNotFit(t *testing.T, s *Store) {
	for name, value := range map[string]string{
		"ten decimals":       "0.1234567891",
		"thirty digits":      "100000000000000000000000000000",
		"thirty with a sign": "-100000000000000000000000000000",
	} {
		row := clickhousetest.UsageEvent("a", "r", "1", clickhousetest.Noon(), 1)
		row.Event.Value = clickhousetest.Dec(t, value)
		if err := clickhousetest.InsertEvents(t.Context(), s, row); err == nil {
			t.Errorf("%s: stored", name)
		}
	}
	for _, value := range []string{"99999999999999999999999999999.999999999", "0.1000000000000000", "1e28", "0e-20"} {
		row := clickhousetest.UsageEvent("a", "r", value, clickhousetest.Noon(), 1)
		row.Event.Value = clickhousetest.Dec(t, value)
		clickhousetest.Store(t, s, row)
	}
	cursor, err := events(t.Context(), s, whole(), aggregate.Usage)
	var got []string
	for _, c := range clickhousetest.Collect(t, cursor, err) {
		got = append(got, c.Value.String())
	}
	slices.Sort(got)
	if want := []string{"0", "0.1", "10000000000000000000000000000", "99999999999999999999999999999.999999999"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// ids are the ids of copies in their order.
func ids(copies []aggregate.Copy) []string {
	out := []string{}
	for _, c := range copies {
		out = append(out, c.ID)
	}
	return out
}

func testEventsByScope(t *testing.T, s *Store) {
	kind := schemas.ResourceDeleted
	clickhousetest.Store(t, s,
		clickhousetest.LifecycleEvent(kind, "b", "r", "7", clickhousetest.Noon(), 0),
		clickhousetest.LifecycleEvent(kind, "a", "z", "6", clickhousetest.Noon().Add(-time.Hour), 1),
		clickhousetest.LifecycleEvent(kind, "a", "r", "5", clickhousetest.Noon().Add(time.Millisecond), 2),
		clickhousetest.LifecycleEvent(kind, "a", "r", "3", clickhousetest.Noon(), 3),
		clickhousetest.LifecycleEvent(kind, "a", "r", "3", clickhousetest.Noon(), 4), // a copy
		clickhousetest.LifecycleEvent(kind, "a", "r", "4", clickhousetest.Noon(), 5),
		clickhousetest.LifecycleEvent(kind, "a", "R", "2", clickhousetest.Noon().AddDate(0, 1, 0), 6),
	)
	mode := clickhousetest.LifecycleEvent(schemas.AccountModeChanged, "a", "", "1", clickhousetest.Noon(), 7)
	mode.Event.Mode = schemas.Postpaid
	clickhousetest.Store(t, s, mode, clickhousetest.UsageEvent("a", "r", "8", clickhousetest.Noon(), 0))
	if err := clickhousetest.Direct(t, config(s)).Exec(t.Context(), "INSERT INTO touched_resources VALUES (1, 'a', 'z'), (1, 'c', 'z'), (2, 'b', 'r')"); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name string
		of   func(*aggregate.Scope)
		want string
	}{
		{"all, the account first, text by its bytes", func(*aggregate.Scope) {}, "1 2 3 3 4 5 6 7"},
		{"from is included, to is not", func(s *aggregate.Scope) {
			s.From, s.To = clickhousetest.Noon(), clickhousetest.Noon().Add(time.Millisecond)
		}, "1 3 3 4 7"},
		{"inside the cutoff", func(s *aggregate.Scope) {
			s.Cutoff = schemas.NewCutoff([]schemas.PartitionEnd{{Topic: "billing.lifecycle", End: 4}})
		}, "3 5 6 7"},
		{"a partition that the cutoff does not name has no rows", func(s *aggregate.Scope) {
			s.Cutoff = schemas.NewCutoff([]schemas.PartitionEnd{{Topic: "billing.lifecycle", Partition: 1, End: 100}, {Topic: "billing.usage", End: 9}})
		}, ""},
		{"no cutoff, no rows", func(s *aggregate.Scope) { s.Cutoff = nil }, ""},
		{"some accounts", func(s *aggregate.Scope) { s.Accounts = []string{"b", "c"} }, "7"},
		{"no accounts", func(s *aggregate.Scope) { s.Accounts = []string{} }, ""},
		{"all but some accounts", func(s *aggregate.Scope) { s.Except = []string{"b"} }, "1 2 3 3 4 5 6"},
		{"only touched, with their accounts", func(s *aggregate.Scope) { s.Touched = aggregate.OnlyTouched }, "1 6"},
		{"only touched by another run", func(s *aggregate.Scope) { s.Touched, s.Run = aggregate.OnlyTouched, 2 }, "7"},
		{"all but the touched", func(s *aggregate.Scope) { s.Touched = aggregate.ExceptTouched }, "1 2 3 3 4 5 7"},
	} {
		t.Run(test.name, func(t *testing.T) {
			of := whole()
			test.of(&of)
			cursor, err := events(t.Context(), s, of, aggregate.Lifecycle)
			if got := ids(clickhousetest.Collect(t, cursor, err)); !slices.Equal(got, strings.Fields(test.want)) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
	of := whole()
	of.UsageTo = clickhousetest.Noon()
	cursor, err := events(t.Context(), s, of, aggregate.Usage)
	if got := ids(clickhousetest.Collect(t, cursor, err)); len(got) != 0 {
		t.Errorf("usage at its end: %q", got)
	}
}

func testCursorEnds(t *testing.T, s *Store) {
	const rows = 200_000
	batch := make([]clickhousetest.Carried, 0, rows)
	for i := range int64(rows) {
		batch = append(batch, clickhousetest.UsageEvent("a", "r", decimal.NewFromInt(i).String(), clickhousetest.Noon(), i))
	}
	clickhousetest.Store(t, s, batch...)
	cursor, err := events(t.Context(), s, whole(), aggregate.Usage)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := cursor.Next(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := cursor.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := cursor.Next(); err == nil || errors.Is(err, io.EOF) {
		t.Errorf("after close: %v, want an error that is no end", err)
	}

	ctx, cancel := context.WithCancel(t.Context())
	cursor, err = events(ctx, s, whole(), aggregate.Usage)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cursor.Close() }()
	cancel()
	for n := 0; ; n++ {
		_, err := cursor.Next()
		if errors.Is(err, io.EOF) {
			t.Fatalf("cancelled after %d rows, and told that it was the end", n)
		}
		if err != nil {
			break
		}
	}
	if got := clickhousetest.Number(t, config(s), "SELECT toInt64(count()) FROM events"); got != rows {
		t.Errorf("%d rows, want %d", got, rows)
	}
}

func testBrokenRow(t *testing.T, s *Store) {
	clickhousetest.Store(t, s, clickhousetest.LifecycleEvent(schemas.ResourceDeleted, "a", "r", "1", clickhousetest.Noon(), 1), clickhousetest.LifecycleEvent(schemas.ResourceDeleted, "b", "r", "2", clickhousetest.Noon(), 2))
	if err := clickhousetest.Direct(t, config(s)).Exec(t.Context(), `INSERT INTO events (account_id, resource_id, time, source, id, type, data, topic, offset)
		VALUES ('a', 'r', '2026-10-15 13:00:00', 'test', '3', 'resource.resized', '{"account_id":"a","items":[{}]}', 'billing.lifecycle', 3)`); err != nil {
		t.Fatal(err)
	}
	cursor, err := events(t.Context(), s, whole(), aggregate.Lifecycle)
	got := clickhousetest.Collect(t, cursor, err)
	if want := []string{"1", "3", "2"}; !slices.Equal(ids(got), want) {
		t.Fatalf("got %q, want %q", ids(got), want)
	}
	if got[0].Err != nil || got[2].Err != nil || got[1].Err == nil || got[1].AccountID != "a" || got[1].ResourceID != "r" {
		t.Errorf("got %v, %v of %q, %v", got[0].Err, got[1].Err, got[1].AccountID, got[2].Err)
	}
}

func testDeadLetters(t *testing.T, s *Store) {
	every := make([]byte, 256)
	for i := range every {
		every[i] = byte(i)
	}
	rejected := ingest.Rejected{
		Message: schemas.Message{
			Position: schemas.Position{Topic: "billing.usage", Partition: 3, Offset: 9},
			Key:      every, Value: every, Headers: []schemas.Header{{Key: string(every), Value: every}},
		},
		Rejection: schemas.Rejection{Reason: "no_timestamp", Detail: "không có thời gian"},
	}
	for range 2 {
		if err := clickhousetest.InsertRejects(t.Context(), s, rejected); err != nil {
			t.Fatal(err)
		}
	}
	other := rejected
	other.Message.Offset, other.Message.Key, other.Message.Value, other.Message.Headers = 10, nil, nil, nil
	// The same message in another cut of the batch.
	if err := clickhousetest.InsertRejects(t.Context(), s, rejected, other); err != nil {
		t.Fatal(err)
	}
	var at time.Time
	var key, value, reason, detail string
	var keys, values []string
	err := clickhousetest.Direct(t, config(s)).QueryRow(t.Context(), `SELECT kafka_time, key, value, header_keys, header_values, reason, detail
		FROM dead_letters FINAL WHERE offset = 9`).Scan(&at, &key, &value, &keys, &values, &reason, &detail)
	want := string(every)
	if err != nil || at.Unix() != 0 || key != want || value != want || reason != "no_timestamp" || detail != "không có thời gian" ||
		!reflect.DeepEqual(keys, []string{want}) || !reflect.DeepEqual(values, []string{want}) {
		t.Errorf("got %v %q %q %q %q %q %q, %v", at, key, value, keys, values, reason, detail, err)
	}
	counts, err := s.Counts(t.Context())
	if err != nil || counts != (Counts{Rejected: 2}) {
		t.Errorf("got %+v, %v, want 2 rejected", counts, err)
	}
}

func testMonthPrunes(t *testing.T, s *Store) {
	// 40,000 usage and 40,000 lifecycle events of each of 20 months, in one part.
	if err := clickhousetest.Direct(t, config(s)).Exec(t.Context(), `INSERT INTO events (account_id, resource_id, time, id, is_usage, topic, offset)
		SELECT toString(intHash32(number) % 100), 'r', toDateTime64('2026-01-15 00:00:00', 3) + toIntervalMonth(number % 20),
			toString(number), number % 40 >= 20, 'billing.usage', number
		FROM numbers(1600000)`); err != nil {
		t.Fatal(err)
	}
	clickhousetest.Merge(t, config(s), "events")
	estimate := func(name string, args ...any) int64 {
		t.Helper()
		text, err := queries.ReadFile("queries/" + name + ".sql")
		if err != nil {
			t.Fatal(err)
		}
		db := s.db.With(fstest.MapFS{"queries/estimate.sql": {Data: []byte("EXPLAIN ESTIMATE " + string(text))}}, queries, scope.Parts)
		total := int64(0)
		var database, table string
		var parts, read, marks uint64
		err = db.Each(column.WithSettings(t.Context(), eventSettings(1)), "estimate", []any{&database, &table, &parts, &read, &marks}, func() error {
			total += int64(read)
			return nil
		}, args...)
		if err != nil {
			t.Fatal(err)
		}
		return total
	}
	marks := func(change func(*aggregate.Scope)) int64 {
		t.Helper()
		of := whole()
		change(&of)
		args := append(scope.Bind(&of), scope.BindTime("from", of.From), scope.BindTime("to", of.To), column.Bind("usage", false))
		months, err := s.monthsOf(t.Context(), of.From, of.To, args)
		if err != nil {
			t.Fatal(err)
		}
		if len(months) > maxMonths {
			return estimate("events", args...)
		}
		total := int64(0)
		for _, month := range months {
			total += estimate("lifecycle_of_month", append(args, bindLane(month, nil, "")...)...)
		}
		return total
	}
	const granule = 8192
	// A billing month of a zone east of Greenwich lies in two UTC months.
	month := func(s *aggregate.Scope) {
		s.From, s.To = time.Date(2026, 9, 30, 17, 0, 0, 0, time.UTC), time.Date(2026, 10, 31, 17, 0, 0, 0, time.UTC)
	}
	if rows := marks(month); rows > 80_000+4*granule {
		t.Errorf("a month reads %d lifecycle rows, want those of two UTC months at most", rows)
	}
	oneAccount := func(s *aggregate.Scope) { s.Accounts = []string{"7"} }
	if rows := marks(oneAccount); rows > 20*2*granule {
		t.Errorf("an account reads %d rows of 800,000", rows)
	}
	if err := clickhousetest.Direct(t, config(s)).Exec(t.Context(), "INSERT INTO touched_resources VALUES (1, '7', 'r')"); err != nil {
		t.Fatal(err)
	}
	if rows := marks(func(s *aggregate.Scope) { s.Touched = aggregate.OnlyTouched }); rows > 20*2*granule {
		t.Errorf("a touched resource reads %d rows of 800,000", rows)
	}
}
