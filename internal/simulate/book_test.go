package simulate

import (
	"testing"
	"time"

	"github.com/reckon-billing/reckon/internal/generate"
	"github.com/reckon-billing/reckon/internal/oracle"
	"github.com/reckon-billing/reckon/schemas"
)

func written(t *testing.T, months int, noise generate.Noise) (*Book, generate.Truth) {
	t.Helper()
	zone, err := time.LoadLocation("Asia/Ho_Chi_Minh")
	if err != nil {
		t.Fatal(err)
	}
	first := schemas.Month{Year: 2026, Month: 12}
	g, err := generate.New(generate.Config{
		Seed: 3, First: first, Months: months, Zone: zone, Accounts: 25, Resources: 400, Usage: 20_000, Noise: noise,
	})
	if err != nil {
		t.Fatal(err)
	}
	book := NewBook(zone, schemas.Currency{Code: "VND"}, first)
	for l := range g.Lines() {
		book.Add(&l)
	}
	return book, g.Truth()
}

func TestTheBookCountsWhatTheGeneratorMeant(t *testing.T) {
	book, truth := written(t, 2, generate.Believable())
	r := book.Settled()
	if want := (oracle.Counts{Stored: truth.Stored, Duplicate: truth.Duplicate, Conflicting: truth.Conflicting}); r.Counts != want {
		t.Errorf("got %+v, want %+v", r.Counts, want)
	}
	if r.Anomalous() < truth.Misplaced/2 {
		t.Errorf("%d anomalies, %d events were misplaced on purpose", r.Anomalous(), truth.Misplaced)
	}
	for _, k := range r.Conservation {
		if k.Lived != k.OnLines+k.Excluded {
			t.Errorf("conservation: %+v", k)
		}
	}
}

func TestWithoutLateEventsASealIssuesWhatIsSettled(t *testing.T) {
	book, _ := written(t, 2, generate.Believable())
	var rows []schemas.Line
	months := map[schemas.Month]int{}
	for _, d := range book.Documents() {
		if d.Kind != schemas.KindInvoice {
			t.Errorf("%s is an adjustment", d.Code)
		}
		rows = append(rows, d.Rows...)
		months[d.Rows[0].Month] += len(d.Rows)
	}
	for m := book.First; !book.Last.Before(m); m = m.Next() {
		if months[m] < 400 {
			t.Errorf("%s: only %d lines", m, months[m])
		}
	}
	for _, d := range oracle.Diff(book.Settled().Lines, rows) {
		t.Error(d)
	}
}

func TestWithLateEventsItDoesNot(t *testing.T) {
	book, truth := written(t, 2, generate.Noise{Window: 100, Late: 100})
	var first, rows []schemas.Line
	adjustments := 0
	for _, d := range book.Documents() {
		rows = append(rows, d.Rows...)
		if d.Run == 1 {
			first = append(first, d.Rows...)
		}
		if d.Kind == schemas.KindAdjustment {
			adjustments++
		}
	}
	if differ := oracle.DiffSums(book.Settled().Lines, first); truth.Late == 0 || len(differ) == 0 || adjustments == 0 {
		t.Errorf("%d late events, %d differences, %d adjustments", truth.Late, len(differ), adjustments)
	}
	// The last seal saw everything, so that all are settled.
	for _, d := range oracle.DiffSums(book.Settled().Lines, rows) {
		t.Error(d)
	}
	for _, d := range oracle.DiffPrices(rows, book.Currency) {
		t.Error(d)
	}
}
