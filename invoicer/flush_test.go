package invoicer

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/reckon-billing/reckon/schemas"
)

// manyResources are so many that a run writes several batches.
type manyResources struct{ n int }

func (m manyResources) Derive(_ context.Context, plan schemas.Derivation, yield func(schemas.Derived) error) error {
	item := schemas.PeriodItem{
		Item:   schemas.Item{Name: "cpu", UnitPrice: decimal.NewFromInt(43_200), Quantity: decimal.NewFromInt(1), Per: schemas.Per30d},
		Billed: decimal.NewFromInt(1),
	}
	for i := range m.n {
		p := schemas.Period{
			AccountID: fmt.Sprintf("a%06d", i), ResourceID: "r", Month: plan.Last, Start: plan.Last.Start(time.UTC), End: plan.Last.End(time.UTC),
			Mode: schemas.Postpaid, Items: []schemas.PeriodItem{item},
		}
		snapshot := schemas.Snapshot{AccountID: p.AccountID, ResourceID: "r", At: plan.Last.Next()}
		if err := yield(schemas.Derived{AccountID: p.AccountID, ResourceID: "r", Periods: []schemas.Period{p}, Snapshot: &snapshot}); err != nil {
			return err
		}
	}
	return nil
}

func (manyResources) FindStrays(context.Context, schemas.Derivation) func() (schemas.StrayWinner, error) {
	return func() (schemas.StrayWinner, error) { return nil, nil }
}

// shelf is a ledger and a book that fail at one batch.
type shelf struct {
	InvoiceStore
	RunLog
	failing int
	writing atomic.Int32
	batches int
	// lines are the codes that have a line, headers those with a header.
	lines, headers map[string]bool
	told           []string
	sealed         bool
	// anomalies are how many each batch has.
	anomalies []int
	// mayWrite is asked at every batch, unless it is nil.
	mayWrite func() bool
}

var errShelf = errors.New("the shelf broke")

func (s *shelf) Write(_ context.Context, b Batch) error {
	if s.writing.Add(1) != 1 {
		s.told = append(s.told, "two batches are written at once")
	}
	defer s.writing.Add(-1)
	if s.mayWrite != nil && !s.mayWrite() {
		s.told = append(s.told, "a batch is written before it is known whether it counts")
	}
	if s.batches++; s.batches == s.failing {
		return errShelf
	}
	s.anomalies = append(s.anomalies, len(b.Anomalies))
	for i := range b.Lines {
		s.lines[b.Lines[i].InvoiceCode] = true
	}
	for i := range b.Invoices {
		h := &b.Invoices[i]
		if !s.lines[h.Code] || s.headers[h.Code] || b.Hashes[i].Code != h.Code {
			s.told = append(s.told, "header "+h.Code+" comes before its lines, twice or without its hash")
		}
		s.headers[h.Code] = true
	}
	return nil
}

func (s *shelf) Tell(context.Context, int64) error {
	if s.sealed {
		s.told = append(s.told, "anomalies are told after the seal")
	}
	return nil
}

func (s *shelf) AddSeal(context.Context, Seal) error {
	s.sealed = true
	return nil
}

func (s *shelf) seal(n int) (Seal, error) { return s.sealOf(manyResources{n}) }

func (s *shelf) sealOf(periods Deriver) (Seal, error) {
	s.lines, s.headers = map[string]bool{}, map[string]bool{}
	month := schemas.Month{Year: 2026, Month: time.October}
	v := &Invoicer{RunLog: s, Invoices: s, Periods: periods, Zone: time.UTC, Now: func() time.Time { return month.End(time.UTC) }}
	run := schemas.Run{Number: 1, Month: month, FirstMonth: month}
	return v.carryOut(context.Background(), &books{runs: []schemas.Run{run}, seals: map[int64]Seal{}}, run, nil)
}

func TestBatchesAreWrittenInOrderBesideTheFold(t *testing.T) {
	const n = batchRows
	s := &shelf{}
	seal, err := s.seal(n)
	if err != nil {
		t.Fatal(err)
	}
	if len(s.told) > 0 {
		t.Error(strings.Join(s.told[:1], ""))
	}
	// A month of 31 days of a price of 43,200 for 30 days.
	want := decimal.NewFromInt(44_640 * n)
	if s.batches < 3 || len(s.headers) != n || !s.sealed || seal.Totals.Invoices != n || !seal.Totals.Amounts.TotalAmount.Equal(want) {
		t.Errorf("%d batches, %d headers, sealed %t with %+v", s.batches, len(s.headers), s.sealed, seal.Totals)
	}
	for failing := 1; failing <= s.batches; failing++ {
		broken := &shelf{failing: failing}
		if _, err := broken.seal(n); !errors.Is(err, errShelf) || broken.sealed {
			t.Errorf("batch %d failed: sealed %t, %v", failing, broken.sealed, err)
		}
		if broken.batches != failing || broken.writing.Load() != 0 {
			t.Errorf("batch %d failed, and %d were written", failing, broken.batches)
		}
	}
}

// hasty derives one resource more than there are, and an account that breaks, when
// it is to take no notice of stray copies and there are some.
type hasty struct {
	n      int
	found  bool
	err    error
	asked  atomic.Bool
	passes int
}

func (h *hasty) FindStrays(context.Context, schemas.Derivation) func() (schemas.StrayWinner, error) {
	return func() (schemas.StrayWinner, error) {
		h.asked.Store(true)
		if h.found {
			return func(schemas.Hash) (schemas.Position, bool) { return schemas.Position{}, false }, nil
		}
		return nil, h.err
	}
}

func (h *hasty) Derive(ctx context.Context, plan schemas.Derivation, yield func(schemas.Derived) error) error {
	h.passes++
	there, wrong := manyResources{h.n}, h.found && plan.Strays == nil
	if wrong {
		there.n++
	}
	return there.Derive(ctx, plan, func(d schemas.Derived) error {
		if wrong && d.AccountID == "a000001" {
			d.Err = errors.New("counted twice")
		}
		return yield(d)
	})
}

func TestNothingIsWrittenThatCopiesThatLieApartCouldMakeVoid(t *testing.T) {
	errSearch := errors.New("the search broke")
	for _, n := range []int{2, batchRows} { // one batch, and several
		for name, h := range map[string]*hasty{
			"there are none":    {},
			"there are some":    {found: true},
			"it is never known": {err: errSearch},
		} {
			t.Run(fmt.Sprintf("%s, of %d resources", name, n), func(t *testing.T) {
				straight, s := &shelf{}, &shelf{mayWrite: h.asked.Load}
				want, err := straight.seal(n)
				if err != nil {
					t.Fatal(err)
				}
				h.n = n
				got, err := s.sealOf(h)
				if len(s.told) > 0 {
					t.Error(s.told[0])
				}
				if h.err != nil {
					if !errors.Is(err, errSearch) || s.batches > 0 || s.sealed {
						t.Errorf("%d batches, sealed %t, %v", s.batches, s.sealed, err)
					}
					return
				}
				if again := h.passes == 2; err != nil || again != h.found || len(got.Parked) > 0 || !s.sealed || len(s.headers) != n ||
					s.batches != straight.batches || !got.Totals.Amounts.TotalAmount.Equal(want.Totals.Amounts.TotalAmount) {
					t.Errorf("derived %d times, %d headers in %d batches, %d parked, %+v, %v; want %+v",
						h.passes, len(s.headers), s.batches, len(got.Parked), got.Totals, err, want.Totals)
				}
			})
		}
	}
}

// untouched finds nothing late.
type untouched struct{}

func (untouched) MarkTouched(context.Context, schemas.Run, schemas.Cutoff, time.Time) (int64, error) {
	return 0, nil
}

func TestARunThatDerivesNothingWaitsForNoSearch(t *testing.T) {
	month := schemas.Month{Year: 2026, Month: time.October}
	s := &shelf{lines: map[string]bool{}, headers: map[string]bool{}}
	searching := make(chan struct{})
	v := &Invoicer{
		RunLog: s, Invoices: s, Late: untouched{}, Periods: endless{searching}, Zone: time.UTC,
		Now: func() time.Time { return month.End(time.UTC) },
	}
	runs := []schemas.Run{{Number: 1, Month: month, FirstMonth: month}, {Number: 2, Month: month, FirstMonth: month}}
	if _, err := v.carryOut(t.Context(), &books{runs: runs, seals: map[int64]Seal{}}, runs[1], nil); err != nil || !s.sealed {
		t.Errorf("sealed %t, %v", s.sealed, err)
	}
	<-searching // it was ended
}

// endless derives nothing and searches until it is told to end.
type endless struct{ ended chan struct{} }

func (endless) Derive(context.Context, schemas.Derivation, func(schemas.Derived) error) error {
	return nil
}

func (e endless) FindStrays(ctx context.Context, _ schemas.Derivation) func() (schemas.StrayWinner, error) {
	go func() {
		<-ctx.Done()
		close(e.ended)
	}()
	return func() (schemas.StrayWinner, error) {
		<-e.ended
		return nil, ctx.Err()
	}
}

// countless derives one resource, of an account that cannot be derived where it is broken,
// with so many events that bill nothing.
type countless struct {
	manyResources
	events int
	broken error
}

func (c countless) Derive(_ context.Context, plan schemas.Derivation, yield func(schemas.Derived) error) error {
	at := plan.Last.Start(time.UTC)
	for i := range c.events {
		e := schemas.EventRef{Source: "s", ID: fmt.Sprint(i), Time: at, Position: schemas.Position{Offset: int64(i)}}
		if err := plan.Anomalies(schemas.Anomaly{AccountID: "a", ResourceID: "r", Event: e, Reason: schemas.UnmatchedUsage}); err != nil {
			return err
		}
	}
	return yield(schemas.Derived{AccountID: "a", ResourceID: "r", Err: c.broken})
}

// T8: what bills nothing of one resource may be any number, and is written in blocks like
// all else; of an account that is parked nothing that has not been written yet.
func TestAnomaliesOfAResourceAreWrittenInBlocks(t *testing.T) {
	s := &shelf{}
	if _, err := s.sealOf(countless{events: 2*batchRows + 7}); err != nil || s.told != nil || !s.sealed {
		t.Fatalf("ended with %v, sealed %t, %v", err, s.sealed, s.told)
	}
	if want := []int{batchRows, batchRows, 7}; !slices.Equal(s.anomalies, want) {
		t.Errorf("anomalies are written in blocks of %v, want %v", s.anomalies, want)
	}
	s = &shelf{}
	if _, err := s.sealOf(countless{events: 7, broken: errShelf}); err != nil || len(s.anomalies) != 0 && s.anomalies[0] != 0 {
		t.Errorf("of a parked account %v anomalies are written, %v", s.anomalies, err)
	}
}
