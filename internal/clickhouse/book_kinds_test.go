package clickhouse

import (
	"context"
	"reflect"
	"testing"
	"time"

	"github.com/reckon-billing/reckon/aggregate"
	"github.com/reckon-billing/reckon/internal/clickhouse/clickhousetest"
	"github.com/reckon-billing/reckon/internal/clickhouse/column"
	"github.com/reckon-billing/reckon/invoicer"
	"github.com/reckon-billing/reckon/schemas"
	"github.com/reckon-billing/reckon/schemas/migrations"
)

// testRunsOfToday is of a store whose runs were written before they had kinds.
func testRunsOfToday(t *testing.T, s *Store) {
	all, err := migrations.All()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.createDatabase(t.Context()); err != nil {
		t.Fatal(err)
	}
	kinds := 0
	for i := range all {
		if all[i].Name == "0014_kinds_of_runs.sql" {
			kinds = i
			break
		}
		if err := s.apply(t.Context(), &all[i]); err != nil {
			t.Fatal(err)
		}
	}
	var want []schemas.Run
	for number := range int64(3) {
		run := schemas.Run{
			Number: number + 1, Kind: schemas.KindSeal, Month: october(), FirstMonth: october(), Currency: "VND", Zone: "UTC",
			CreatedAt: clickhousetest.Noon().Add(time.Duration(number) * time.Hour), Cutoff: schemas.NewCutoff([]schemas.PartitionEnd{{Topic: "b", End: number}}),
		}
		want = append(want, run)
		if err := clickhousetest.Direct(t, config(s)).Exec(t.Context(), `INSERT INTO runs (number, month, created_at, first_month, currency, zone, cutoff)
			VALUES ({n:Int64}, '2026-10', {at:DateTime64(3, 'UTC')}, '2026-10', 'VND', 'UTC', [('b', 0, {end:Int64})])`,
			column.Bind("n", run.Number), column.Bind("at", run.CreatedAt), column.Bind("end", number)); err != nil {
			t.Fatal(err)
		}
	}
	for i := kinds; i < len(all); i++ {
		for range 2 { // and again, after a crash
			if err := s.apply(t.Context(), &all[i]); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, when := range []string{"before a merge", "after a merge"} {
		got, err := s.Runs(t.Context())
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: runs are %+v, %v; want %+v", when, got, err, want)
		}
		if next, err := s.NextNumber(t.Context()); err != nil || next != 4 {
			t.Errorf("%s: the next number is %d, %v", when, next, err)
		}
		clickhousetest.Merge(t, config(s), "runs")
	}
	taken := want[0]
	taken.Kind = "account"
	if stored, err := s.AddRun(t.Context(), taken); err != nil || !reflect.DeepEqual(stored, want[0]) {
		t.Errorf("the number of a seal was given to %+v, %v", stored, err)
	}
}

// stillLog is a log in which nothing happens.
type stillLog struct{ ends []schemas.PartitionEnd }

func (l *stillLog) Ends(context.Context) ([]schemas.PartitionEnd, error)   { return l.ends, nil }
func (l *stillLog) Stored(context.Context) ([]schemas.PartitionEnd, error) { return l.ends, nil }

const accountRun schemas.RunKind = "account"

// insertRuns inserts runs of the numbers from..to that a condition holds for.
func insertRuns(t *testing.T, s *Store, kind schemas.RunKind, from, to int64, condition string) {
	t.Helper()
	if err := clickhousetest.Direct(t, config(s)).Exec(t.Context(), `INSERT INTO runs (number, kind, month, created_at, first_month, currency, zone, cutoff)
		SELECT number, {kind:String}, '2026-10', {at:DateTime64(3, 'UTC')} + number, '2026-10', 'VND', 'UTC',
			arrayMap(p -> ('billing.usage', toInt32(p), toInt64(number)), range(3))
		FROM numbers({from:UInt64}, {count:UInt64}) WHERE `+condition,
		column.Bind("kind", string(kind)), column.Bind("at", clickhousetest.Noon()), column.Bind("from", from), column.Bind("count", to-from+1)); err != nil {
		t.Fatal(err)
	}
}

// readings are how many rows the server reads for what comes with every seal.
type readings struct {
	open, nextNumber, addRun, seal int64
}

// testOtherKinds holds what a seal reads of 100 seals against what it reads of them
// with half a million other runs in between.
func testOtherKinds(t *testing.T, s *Store) {
	const seals, gap = 100, 5000
	insertRuns(t, s, schemas.KindSeal, 1, seals*gap, "number % 5000 = 0")
	if err := clickhousetest.Direct(t, config(s)).Exec(t.Context(), "INSERT INTO seals (run, sealed_at, month) SELECT number, created_at, month FROM runs"); err != nil {
		t.Fatal(err)
	}
	before, err := s.Runs(t.Context())
	if err != nil || len(before) != seals {
		t.Fatalf("%d runs, %v", len(before), err)
	}
	month, next := october(), int64(seals*gap)
	alone := s.readForSeal(t, &month, &next)
	for from := int64(1); from < seals*gap; from += seals * gap / 5 {
		insertRuns(t, s, accountRun, from, from+seals*gap/5-1, "number % 5000 != 0")
	}
	after, err := s.Runs(t.Context())
	if err != nil || !reflect.DeepEqual(after[:seals], before) {
		t.Fatalf("among other runs there are %d, %v; want the same", len(after), err)
	}
	for _, when := range []string{"before a merge", "after a merge"} {
		among := s.readForSeal(t, &month, &next)
		t.Logf("rows read with no and with %d other runs, %s: %+v and %+v", seals*(gap-1), when, alone, among)
		// Of each part, the granules in which a kind begins and ends.
		most := clickhousetest.Number(t, config(s), "SELECT toInt64(count()) FROM system.parts WHERE active AND database = currentDatabase() AND table = 'runs'") * 2 * 512
		if among.open > alone.open+most || among.nextNumber > alone.nextNumber+most || among.addRun > alone.addRun+most || among.seal > alone.seal+2*most {
			t.Errorf("%s: with other runs %+v rows are read, without %+v; want at most %d more", when, among, alone, most)
		}
		clickhousetest.Merge(t, config(s), "runs")
	}
}

// readForSeal adds a run of another kind after the newest, and seals the next month.
func (s *Store) readForSeal(t *testing.T, month *schemas.Month, newest *int64) (r readings) {
	t.Helper()
	*month = month.Next()
	// Beyond those of the runs that are there.
	log := &stillLog{}
	for p := range int32(3) {
		log.ends = append(log.ends, schemas.PartitionEnd{Topic: "billing.usage", Partition: p, End: 1_000_000 + int64(month.Index())})
	}
	v := &invoicer.Invoicer{
		Log: log, RunLog: s, Late: s, Invoices: s, Periods: &aggregate.Deriver{Source: s, Zone: time.UTC},
		Currency: schemas.Currency{Code: "VND"}, Zone: time.UTC, FirstMonth: october(), Replay: true, Now: clickhousetest.Noon,
	}
	idle := s.rowsRead(t, func() error { return nil })
	for _, one := range []struct {
		rows *int64
		of   func() error
	}{
		{&r.open, func() error {
			_, err := s.Runs(t.Context())
			return err
		}},
		{&r.nextNumber, func() error {
			next, err := s.NextNumber(t.Context())
			if next != *newest+1 {
				t.Errorf("the next number is %d, want %d", next, *newest+1)
			}
			return err
		}},
		{&r.addRun, func() error {
			*newest++
			_, err := s.AddRun(t.Context(), schemas.Run{Number: *newest, Kind: accountRun})
			return err
		}},
		{&r.seal, func() error {
			*newest++
			seals, err := v.Seal(t.Context(), *month)
			if len(seals) != 1 || seals[0].Run != *newest {
				t.Errorf("%s: carried out %+v, want run %d", month, seals, *newest)
			}
			return err
		}},
	} {
		*one.rows = s.rowsRead(t, one.of) - idle
	}
	return r
}

// rowsRead is how many rows the server reads for something.
func (s *Store) rowsRead(t *testing.T, of func() error) int64 {
	t.Helper()
	const selected = "SELECT toInt64(sum(value)) FROM system.events WHERE event = 'SelectedRows'"
	before := clickhousetest.Number(t, config(s), selected)
	if err := of(); err != nil {
		t.Fatal(err)
	}
	return clickhousetest.Number(t, config(s), selected) - before
}
