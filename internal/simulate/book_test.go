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
	settled := book.Settled()
	for m := book.First; !book.Last.Before(m); m = m.Next() {
		invoiced, err := book.Invoiced(m)
		if err != nil {
			t.Fatal(err)
		}
		if len(invoiced.Lines) < 400 {
			t.Errorf("%s: only %d lines", m, len(invoiced.Lines))
		}
		for _, d := range oracle.Diff(ofMonth(settled.Lines, m), invoiced.Lines) {
			t.Error(d)
		}
	}
}

func TestWithLateEventsItDoesNot(t *testing.T) {
	book, truth := written(t, 2, generate.Noise{Window: 100, Late: 100})
	invoiced, err := book.Invoiced(book.First)
	if err != nil {
		t.Fatal(err)
	}
	if differ := oracle.Diff(ofMonth(book.Settled().Lines, book.First), invoiced.Lines); truth.Late == 0 || len(differ) == 0 {
		t.Errorf("%d late events, %d differences", truth.Late, len(differ))
	}
	if _, err := book.Invoiced(book.Last.Next()); err == nil {
		t.Error("a month that was not sealed was invoiced")
	}
}
