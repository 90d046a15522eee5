package invoicer

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/reckon-billing/reckon/schemas"
)

// manyResources are so many that a run writes several batches.
type manyResources struct{ n int }

func (m manyResources) Derive(_ context.Context, plan Plan, yield func(Derived) error) error {
	item := schemas.PeriodItem{
		Item:   schemas.Item{Name: "cpu", UnitPrice: decimal.NewFromInt(43_200), Quantity: decimal.NewFromInt(1), Per: schemas.Per30d},
		Billed: decimal.NewFromInt(1),
	}
	for i := range m.n {
		p := schemas.Period{
			AccountID: fmt.Sprintf("a%06d", i), ResourceID: "r", Month: plan.Last, Start: plan.Last.Start(time.UTC), End: plan.Last.End(time.UTC),
			Mode: schemas.Postpaid, Items: []schemas.PeriodItem{item},
		}
		edge := schemas.Edge{AccountID: p.AccountID, ResourceID: "r", At: plan.Last.Next()}
		if err := yield(Derived{AccountID: p.AccountID, ResourceID: "r", Periods: []schemas.Period{p}, Edge: &edge}); err != nil {
			return err
		}
	}
	return nil
}

// shelf is a ledger and a book that fail at one batch.
type shelf struct {
	Ledger
	Book
	failing int
	writing atomic.Int32
	batches int
	// lines are the codes that have a line, headers those with a header.
	lines, headers map[string]bool
	told           []string
	sealed         bool
}

var errShelf = errors.New("the shelf broke")

func (s *shelf) Write(_ context.Context, b Batch) error {
	if s.writing.Add(1) != 1 {
		s.told = append(s.told, "two batches are written at once")
	}
	defer s.writing.Add(-1)
	if s.batches++; s.batches == s.failing {
		return errShelf
	}
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

func (s *shelf) AddSeal(context.Context, Seal) error {
	s.sealed = true
	return nil
}

func (s *shelf) seal(n int) (Seal, error) {
	s.lines, s.headers = map[string]bool{}, map[string]bool{}
	month := schemas.Month{Year: 2026, Month: time.October}
	v := &Invoicer{Book: s, Ledger: s, Periods: manyResources{n}, Zone: time.UTC, Now: func() time.Time { return month.End(time.UTC) }}
	run := schemas.Run{Number: 1, Month: month, FirstMonth: month}
	return v.carryOut(context.Background(), &books{runs: []schemas.Run{run}, seals: map[int64]Seal{}}, 0, nil)
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
