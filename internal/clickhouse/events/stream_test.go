package events

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/shopspring/decimal"

	"github.com/reckon-billing/reckon/aggregate"
	"github.com/reckon-billing/reckon/internal/clickhouse/clickhousetest"
	"github.com/reckon-billing/reckon/internal/clickhouse/column"
	"github.com/reckon-billing/reckon/internal/clickhouse/scope"
	"github.com/reckon-billing/reckon/schemas"
)

// lines are copies as one compares them.
func lines(copies []aggregate.Copy) []string {
	var all []string
	for _, c := range copies {
		all = append(all, fmt.Sprintf("%s|%s|%s|%d|%s|%s|%s|%s|%s|%v|%v|%v", c.AccountID, c.ResourceID, c.Time, c.Sequence,
			c.Source, c.ID, c.Type, c.Item, c.Value, c.Position, c.KafkaTime, c.Err))
	}
	return all
}

// manyParts stores events of a month and its neighbours, of the same resources in
// all of them, in ten parts each: a quarter of them again in other parts, and many
// of the same time and sequence.
func manyParts(t *testing.T, s *Store) {
	t.Helper()
	if err := clickhousetest.Direct(t, config(s)).Exec(t.Context(), "SYSTEM STOP MERGES events"); err != nil {
		t.Fatal(err)
	}
	for i := range int64(20) {
		err := clickhousetest.Direct(t, config(s)).Exec(t.Context(), `INSERT INTO events (account_id, resource_id, time, sequence, source, id, is_usage, type, item, value, data, identity, topic, partition, offset, kafka_ms)
			SELECT
				'a' || toString(intHash32(k) % 7) AS account,
				if(k % 50 = 0, '', 'r' || toString(intHash32(k + 1) % 40)),
				toDateTime64('2026-09-25 00:00:00', 3, 'UTC') + toIntervalMinute(intHash32(k + 2) % 100 * 1000),
				k % 2, 's' || toString(k % 3) AS source, toString(intHash32(k + 3)) AS id,
				{usage:Bool}, if({usage:Bool}, 'usage.recorded', 'resource.deleted'), if({usage:Bool}, 'cpu', ''),
				if({usage:Bool}, k, 0),
				if({usage:Bool}, '', concat('{"account_id":"', account, '"}')),
				MD5(concat(source, ' ', id)),
				if({usage:Bool}, 'billing.usage', 'billing.lifecycle'), 0, number, number
			FROM (SELECT number, number % 16000 AS k FROM numbers({from:UInt64}, 2000))`, column.Bind("usage", i >= 10), column.Bind("from", i%10*2000))
		if err != nil {
			t.Fatal(err)
		}
	}
}

// inOrder sorts copies of one event, which come in any order, and fails where
// anything else is not in the order of the fold.
func inOrder(t *testing.T, copies []aggregate.Copy) []aggregate.Copy {
	t.Helper()
	order := func(a, b aggregate.Copy) int {
		return cmp.Or(strings.Compare(a.AccountID, b.AccountID), strings.Compare(a.ResourceID, b.ResourceID), a.Compare(&b.Event))
	}
	if !slices.IsSortedFunc(copies, order) {
		t.Error("not in the order of the fold")
	}
	slices.SortStableFunc(copies, func(a, b aggregate.Copy) int {
		return cmp.Or(order(a, b), schemas.ComparePositions(a.Position, b.Position))
	})
	return copies
}

func testMonthsMerge(t *testing.T, s *Store) {
	manyParts(t, s)
	for _, test := range []struct {
		usage, lanes bool
		from         time.Time
	}{
		{false, false, time.Unix(0, 0)},
		{false, true, time.Unix(0, 0)},
		{true, false, time.Unix(0, 0)},
		{true, true, time.Unix(0, 0)},
		{false, true, time.Date(2026, 9, 30, 17, 0, 0, 0, time.UTC)},
		{true, true, time.Date(2026, 9, 30, 17, 0, 0, 0, time.UTC)},
	} {
		s.laneRows = laneRows
		if test.lanes {
			s.laneRows = 1
		}
		of := whole()
		of.From, of.To = test.from, time.Date(2026, 11, 30, 17, 0, 0, 0, time.UTC)
		of.UsageTo = of.To
		of.Cutoff = schemas.NewCutoff([]schemas.PartitionEnd{{Topic: "billing.lifecycle", End: 18000}, {Topic: "billing.usage", End: 18000}})
		what := aggregate.Lifecycle
		if test.usage {
			what = aggregate.Usage
		}
		merged, err := events(t.Context(), s, of, what)
		got := inOrder(t, clickhousetest.Collect(t, merged, err))
		args := append(scope.Bind(&of), scope.BindTime("from", of.From), scope.BindTime("to", of.To), column.Bind("usage", test.usage))
		sorted := &copies{}
		one, err := sorted.open(t.Context(), s, "events", nil, args, newEnds(of.Cutoff), true, true, true)
		sorted.months = []ordered{one}
		want := inOrder(t, clickhousetest.Collect(t, &wholeRows{Cursor: sorted}, err))
		if len(want) < 10000 || !slices.Equal(lines(got), lines(want)) {
			t.Errorf("%+v: %d rows merged, %d sorted, or others", test, len(got), len(want))
		}
		if !test.usage {
			continue
		}
		// Usage without its names is the same in all else, and so is its order.
		of.Named = false
		merged, err = events(t.Context(), s, of, what)
		var values, wanted []string
		for _, c := range clickhousetest.Collect(t, merged, err) {
			values = append(values, c.Value.String())
		}
		for _, c := range want {
			wanted = append(wanted, c.Value.String())
		}
		if !slices.Equal(values, wanted) {
			t.Errorf("%+v: usage without names: %d rows, want %d, or others", test, len(values), len(wanted))
		}
	}
}

// testPartsMove: a part that is merged into another between the first look and the
// opening of its lane is not read as empty.
func testPartsMove(t *testing.T, s *Store) {
	manyParts(t, s)
	s.laneRows = 1
	of := whole()
	months := []uint32{202610}
	l, err := s.lanesOf(t.Context(), &of, months, true)
	if err != nil || len(l.byMonth[202610]) != maxLanes {
		t.Fatalf("%d lanes, want %d: %v", len(l.byMonth[202610]), maxLanes, err)
	}
	q := &eventQuery{args: append(scope.Bind(&of), scope.BindTime("from", of.From), scope.BindTime("to", of.To), column.Bind("usage", true)), months: months, usage: true}
	c, err := s.openLanes(t.Context(), q, &l)
	if err != nil || c == nil {
		t.Fatalf("parts that stayed are not read: %v", err)
	}
	_ = c.Close()
	elsewhere := l
	elsewhere.server = "another"
	if c, err := s.openLanes(t.Context(), q, &elsewhere); err != nil || c != nil {
		t.Errorf("parts of another server are read: %v, %v", c, err)
	}
	for _, statement := range []string{"SYSTEM START MERGES events", "OPTIMIZE TABLE events FINAL"} {
		if err := clickhousetest.Direct(t, config(s)).Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	if c, err := s.openLanes(t.Context(), q, &l); err != nil || c != nil {
		t.Errorf("parts that are gone are read: %v, %v", c, err)
	}
}

func testTexts(t *testing.T, s *Store) {
	var batch []clickhousetest.Carried
	want := map[string]string{}
	for i := range int64(300) {
		// Lengths about the edges of their own encoding, and far beyond.
		length := []int64{1, 2, 126, 127, 128, 129, 255, 256, 16383, 16384, 16385, 40000}[i%12]
		id := fmt.Sprintf("%d %s", i, strings.Repeat("x", int(length)))
		resource := strings.Repeat("r", int(i%257)+1)
		want[id] = resource
		batch = append(batch, clickhousetest.UsageEvent("a", resource, id, clickhousetest.Noon(), i))
	}
	clickhousetest.Store(t, s, batch...)
	cursor, err := events(t.Context(), s, whole(), aggregate.Usage)
	for _, c := range clickhousetest.Collect(t, cursor, err) { // all are kept until after the last
		if want[c.ID] != c.ResourceID {
			t.Errorf("id of %d bytes: resource of %d bytes, want %d", len(c.ID), len(c.ResourceID), len(want[c.ID]))
		}
		delete(want, c.ID)
	}
	if len(want) > 0 {
		t.Errorf("%d texts did not come back", len(want))
	}
}

// testMostlyEmpty reads columns that the server keeps sparse. Were it to send
// them so, they would have to be refused.
func testMostlyEmpty(t *testing.T, s *Store) {
	const rows = 100_000
	err := clickhousetest.Direct(t, config(s)).Exec(t.Context(), `INSERT INTO events (account_id, resource_id, time, sequence, source, id, is_usage, type, item, value, topic, offset)
		SELECT 'a', if(number % 1000 = 0, toString(number), ''), '2026-10-15', if(number % 1000 = 0, 7, 0), if(number % 1000 = 0, 's', ''),
			toString(number), true, 'usage.recorded', '', if(number % 1000 = 0, 0.5, 0), 'billing.usage', number
		FROM numbers(100000)`)
	if err != nil {
		t.Fatal(err)
	}
	clickhousetest.Merge(t, config(s), "events")
	if n := clickhousetest.Number(t, config(s), `SELECT toInt64(count()) FROM system.parts_columns
		WHERE active AND database = currentDatabase() AND table = 'events' AND serialization_kind = 'Sparse'`); n == 0 {
		t.Fatal("no column is kept sparse: this test tests nothing")
	}
	cursor, err := events(t.Context(), s, whole(), aggregate.Usage)
	got, filled := clickhousetest.Collect(t, cursor, err), 0
	for _, c := range got {
		full := c.Position.Offset%1000 == 0
		if full {
			filled++
		}
		if (c.ResourceID != "") != full || (c.Sequence == 7) != full || (c.Source == "s") != full || c.Value.IsZero() == full {
			t.Fatalf("offset %d: %+v", c.Position.Offset, c)
		}
	}
	if len(got) != rows || filled != rows/1000 {
		t.Errorf("%d rows, %d of them filled", len(got), filled)
	}
}

// many stores enough events that reading them takes many blocks.
func many(t *testing.T, s *Store) {
	t.Helper()
	err := clickhousetest.Direct(t, config(s)).Exec(t.Context(), `INSERT INTO events (account_id, resource_id, time, source, id, is_usage, type, topic, offset)
		SELECT 'a', 'r', toDateTime64('2026-10-01 00:00:00', 3, 'UTC') + toIntervalMillisecond(number), 's', toString(number), true,
			'usage.recorded', 'billing.usage', number
		FROM numbers(1000000)`)
	if err != nil {
		t.Fatal(err)
	}
}

// drain reads to the error that ends the rows.
func drain(c schemas.Cursor[aggregate.Copy]) (rows int, err error) {
	for {
		if _, err := c.Next(); err != nil {
			return rows, err
		}
		rows++
	}
}

func testBrokenRead(t *testing.T, s *Store) {
	many(t, s)
	way := clickhousetest.NewWay(t, config(s).Addresses[0])
	s = over(t, s, column.Config{Addresses: []string{way.Address}})
	// begin hands out a cursor whose query runs, with blocks still to come.
	begin := func() schemas.Cursor[aggregate.Copy] {
		t.Helper()
		cursor, err := events(t.Context(), s, whole(), aggregate.Usage)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := cursor.Next(); err != nil {
			t.Fatal(err)
		}
		return cursor
	}
	for _, test := range []struct {
		name    string
		breakIt func()
	}{
		{"the query is killed", func() {
			if err := clickhousetest.Direct(t, config(s)).Exec(t.Context(), "KILL QUERY WHERE query LIKE '%FROM events%toYYYYMM%' AND query NOT LIKE '%KILL%'"); err != nil {
				t.Fatal(err)
			}
		}},
		{"the connection is cut", func() { way.Cut(true) }},
		{"half of the connection is closed by the other side", func() { way.Cut(false) }},
	} {
		cursor := begin()
		test.breakIt()
		rows, err := drain(cursor)
		if errors.Is(err, io.EOF) || rows >= 999_999 {
			t.Errorf("%s: %d rows, then %v", test.name, rows, err)
		}
		if _, again := cursor.Next(); again == nil || errors.Is(again, io.EOF) {
			t.Errorf("%s: then %v", test.name, again)
		}
		if err := cursor.Close(); err != nil {
			t.Error(err)
		}
	}
	// The other way of reading, row by row.
	slow, err := s.db.Rows(t.Context(), "named_usage_of_month", append(append(scope.Bind(&aggregate.Scope{Cutoff: clickhousetest.Everything()}),
		scope.BindTime("from", time.Unix(0, 0)), scope.BindTime("to", clickhousetest.Noon().AddDate(1, 0, 0))), bindLane(202610, nil, "")...)...)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = slow.Close() }()
	way.Cut(false)
	var text [7]string
	var at time.Time
	var number [3]int64
	var value decimal.Decimal
	var partition int32
	for rows := 0; ; rows++ {
		err := slow.Next(&text[0], &text[1], &at, &number[0], &text[2], &text[3], &text[4], &text[5], &value, &text[6],
			&partition, &number[1], &number[2])
		if errors.Is(err, io.EOF) {
			t.Errorf("row by row: %d rows, then %v", rows, err)
		}
		if err != nil {
			break
		}
	}
	// An exception in the midst of the rows, some of which have come already.
	err = clickhousetest.Direct(t, config(s)).Exec(t.Context(), `INSERT INTO events (account_id, resource_id, time, source, id, is_usage, type, topic, offset)
		VALUES ('z', 'r', '2026-10-30 00:00:00', 's', 'last', true, 'usage.recorded', 'billing.usage', -1)`)
	if err != nil {
		t.Fatal(err)
	}
	of := whole()
	args := append(append(scope.Bind(&of), scope.BindTime("from", of.From), scope.BindTime("to", of.To), column.Bind("usage", true)), bindLane(202610, nil, "")...)
	query, err := queries.ReadFile("queries/usage_of_month.sql")
	if err != nil {
		t.Fatal(err)
	}
	broken := over(t, s, column.Config{}, fstest.MapFS{"queries/usage_of_month.sql": {
		Data: []byte(strings.Replace(string(query), "WHERE ", "WHERE throwIf(offset = -1, 'in the midst') = 0 AND ", 1)),
	}})
	c := &copies{}
	one, err := c.open(t.Context(), broken, "usage_of_month", eventSettings(1), args, newEnds(of.Cutoff), false, true, false)
	if err != nil {
		t.Fatal(err)
	}
	c.months = []ordered{one}
	defer func() { _ = c.Close() }()
	if n, err := drain(&wholeRows{Cursor: c}); errors.Is(err, io.EOF) || !strings.Contains(err.Error(), "in the midst") {
		t.Errorf("%d rows, then %v", n, err)
	}
	// A scope that cannot be asked for.
	if err := clickhousetest.Direct(t, config(s)).Exec(t.Context(), "RENAME TABLE events TO hidden"); err != nil {
		t.Fatal(err)
	}
	cursor, err := events(t.Context(), s, aggregate.Scope{From: clickhousetest.Noon(), To: clickhousetest.Noon().Add(time.Hour)}, aggregate.Lifecycle)
	if err == nil {
		_, err = cursor.Next()
		_ = cursor.Close()
	}
	if err == nil || errors.Is(err, io.EOF) {
		t.Errorf("without a table: %v", err)
	}
}

func testNothingLeft(t *testing.T, s *Store) {
	many(t, s)
	running := func() int64 {
		t.Helper()
		return clickhousetest.Number(t, config(s), "SELECT toInt64(count()) FROM system.processes WHERE query LIKE '%FROM events%toYYYYMM%' AND query NOT LIKE '%processes%'")
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	for name, end := range map[string]func(schemas.Cursor[aggregate.Copy]){
		"closed":    func(c schemas.Cursor[aggregate.Copy]) { _ = c.Close() },
		"cancelled": func(schemas.Cursor[aggregate.Copy]) { cancel() },
	} {
		cursor, err := events(ctx, s, whole(), aggregate.Usage)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := cursor.Next(); err != nil {
			t.Fatal(err)
		}
		end(cursor)
		if _, err := drain(cursor); err == nil || errors.Is(err, io.EOF) {
			t.Errorf("%s: %v", name, err)
		}
		for deadline := time.Now().Add(10 * time.Second); running() > 0; {
			if time.Now().After(deadline) {
				t.Fatalf("%s: the query still runs", name)
			}
		}
		_ = cursor.Close()
		ctx, cancel = context.WithCancel(t.Context())
	}
	cancel()
}
