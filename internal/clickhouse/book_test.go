package clickhouse

import (
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/reckon-billing/reckon/internal/clickhouse/clickhousetest"
	"github.com/reckon-billing/reckon/invoicer"
	"github.com/reckon-billing/reckon/schemas"
)

func testAddRunRaces(t *testing.T, s *Store) {
	const races, runners = 200, 2
	var seals []schemas.Run
	for number := int64(1); number <= races; number++ {
		var got [runners]schemas.Run
		var errs [runners]error
		var start, done sync.WaitGroup
		start.Add(1)
		kinds := [runners]schemas.RunKind{schemas.KindSeal, schemas.KindSeal}
		if number%2 == 0 {
			kinds[number/2%2] = accountRun // two kinds race for one number too
		}
		for i := range runners {
			done.Go(func() {
				start.Wait()
				got[i], errs[i] = s.AddRun(t.Context(), schemas.Run{
					Number: number, Kind: kinds[i], Month: schemas.Month{Year: 2026, Month: 10}, FirstMonth: schemas.Month{Year: 2026, Month: 10},
					Currency: "VND", Zone: "Asia/Ho_Chi_Minh", CreatedAt: clickhousetest.Noon().Add(time.Duration(i) * time.Millisecond),
					Cutoff: schemas.NewCutoff([]schemas.PartitionEnd{{Topic: "billing.usage", End: int64(i)}}),
				})
			})
		}
		start.Done()
		done.Wait()
		if errs != [runners]error{} {
			t.Fatal(errs)
		}
		if !reflect.DeepEqual(got[0], got[1]) {
			t.Fatalf("run %d: the two runners have %+v and %+v", number, got[0], got[1])
		}
		// One writer's row, not parts of two.
		if want := got[0].Cutoff[0].End; got[0].CreatedAt.Sub(clickhousetest.Noon()).Milliseconds() != want {
			t.Fatalf("run %d: cutoff of runner %d, created_at %v", number, want, got[0].CreatedAt)
		}
		if got[0].Kind != kinds[got[0].Cutoff[0].End] {
			t.Fatalf("run %d is a %s, not a %s", number, got[0].Kind, kinds[got[0].Cutoff[0].End])
		}
		if got[0].Kind == schemas.KindSeal {
			seals = append(seals, got[0])
		}
	}
	if n := clickhousetest.Number(t, config(s), "SELECT toInt64(count()) FROM runs"); n != races {
		t.Errorf("%d rows, want %d", n, races)
	}
	runs, err := s.Runs(t.Context())
	if err != nil || !reflect.DeepEqual(runs, seals) {
		t.Errorf("%d runs, %v, want the %d of seals", len(runs), err, len(seals))
	}
}

func testBook(t *testing.T, s *Store) {
	run := schemas.Run{
		Number: 1, Kind: schemas.KindSeal, Month: october(), FirstMonth: october().Prev(), Currency: "VND", Zone: "Asia/Ho_Chi_Minh",
		CreatedAt: clickhousetest.Noon().Add(123 * time.Millisecond),
		Cutoff: schemas.NewCutoff([]schemas.PartitionEnd{
			{Topic: "b", Partition: 10, End: 1 << 60}, {Topic: "b", Partition: 9, End: 0}, {Topic: "it's", Partition: 0, End: 5},
		}),
	}
	stored, err := s.AddRun(t.Context(), run)
	if err != nil || !reflect.DeepEqual(stored, run) {
		t.Fatalf("got %+v, %v, want %+v", stored, err, run)
	}
	other := run
	other.CreatedAt, other.Cutoff = clickhousetest.Noon(), nil
	if stored, err = s.AddRun(t.Context(), other); err != nil || !reflect.DeepEqual(stored, run) {
		t.Errorf("a taken number gives %+v, %v, want the first", stored, err)
	}
	// Should two rows ever be there, the lowest created_at wins, merged or not.
	if err := clickhousetest.Direct(t, config(s)).Exec(t.Context(), `INSERT INTO runs SELECT * REPLACE (created_at + INTERVAL 1 SECOND AS created_at) FROM runs
		UNION ALL SELECT * REPLACE (created_at - INTERVAL 1 SECOND AS created_at, 'first' AS currency) FROM runs`); err != nil {
		t.Fatal(err)
	}
	for _, when := range []string{"before a merge", "after a merge"} {
		runs, err := s.Runs(t.Context())
		if err != nil || len(runs) != 1 || runs[0].Currency != "first" {
			t.Errorf("%s: got %+v, %v", when, runs, err)
		}
		clickhousetest.Merge(t, config(s), "runs")
	}

	seal := invoicer.Seal{
		Run: 1, Month: october(), SealedAt: clickhousetest.Noon(), Parked: []invoicer.Parked{{AccountID: "a'", Reason: "hỏng"}, {AccountID: "b", Reason: ""}},
		Totals: invoicer.Totals{Invoices: 1, Adjustments: 2, Lines: 3, Amounts: schemas.Amounts{
			BeforeTax: clickhousetest.Dec(t, "1000000000000000"), TaxAmount: clickhousetest.Dec(t, "1"), CouponValue: clickhousetest.Dec(t, "0"), TotalAmount: clickhousetest.Dec(t, "-99999999999999999999999999999999"),
		}},
	}
	newer := seal
	newer.SealedAt, newer.Parked = clickhousetest.Noon().Add(time.Millisecond), nil
	of2 := seal
	of2.Run, of2.Month = 2, october().Next()
	for _, one := range []invoicer.Seal{of2, newer, seal} {
		if err := s.AddSeal(t.Context(), one); err != nil {
			t.Fatal(err)
		}
	}
	seals, err := s.Seals(t.Context())
	if err != nil || len(seals) != 2 {
		t.Fatalf("got %+v, %v", seals, err)
	}
	for i, want := range []invoicer.Seal{newer, of2} {
		got := seals[i]
		if !got.Totals.Amounts.Equal(want.Totals.Amounts) {
			t.Errorf("amounts %v, want %v", got.Totals.Amounts, want.Totals.Amounts)
		}
		got.Totals.Amounts = want.Totals.Amounts
		if !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v, want %+v", got, want)
		}
	}
	months, err := s.SealedMonths(t.Context())
	if err != nil || !reflect.DeepEqual(months, []schemas.Month{october(), october().Next()}) {
		t.Errorf("sealed months %v, %v", months, err)
	}
	seal.Totals.Amounts.TaxAmount = clickhousetest.Dec(t, "0.5")
	if err := s.AddSeal(t.Context(), seal); err == nil {
		t.Error("half a đồng was stored")
	}
}
