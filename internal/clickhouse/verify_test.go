package clickhouse

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/reckon-billing/reckon/internal/clickhouse/clickhousetest"
	"github.com/reckon-billing/reckon/internal/embedded/embeddedtest"
	"github.com/reckon-billing/reckon/invoicer"
	"github.com/reckon-billing/reckon/schemas"
	"github.com/reckon-billing/reckon/schemas/tables"
)

func TestProofsOnTheEngine(t *testing.T) {
	endpoints := embeddedtest.Start(t).Endpoints()
	s, err := Open(Config{Addresses: []string{endpoints.Native}, Database: "proofs", Username: endpoints.User, Password: endpoints.Password})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	if _, err := s.Migrate(t.Context(), clickhousetest.Noon()); err != nil {
		t.Fatal(err)
	}
	t.Run("a month's hash is over the invoices that a run issued", func(t *testing.T) { testMonthHashes(t, s) })
	t.Run("a seal is refused while an invoice of its run is not whole", func(t *testing.T) { testLacking(t, s) })
	t.Run("item-minutes are those of the newest run", func(t *testing.T) { testItemMinutes(t, s) })
}

func testMonthHashes(t *testing.T, s *Store) {
	hashOf := func(code string, n byte) schemas.InvoiceHash {
		return schemas.InvoiceHash{Month: september(), AccountID: "a", ResourceID: code, Code: code, Run: 1, Hash: schemas.Digest{n}}
	}
	headerOf := func(code string) schemas.Invoice {
		return schemas.Invoice{Code: code, Kind: schemas.KindInvoice, AccountID: "a", ResourceID: code, Month: september(), Run: 1, CreatedAt: clickhousetest.Noon(), PeriodStart: clickhousetest.Noon(), PeriodEnd: clickhousetest.Noon()}
	}
	seal := func(run int64, month schemas.Month) {
		t.Helper()
		for range 2 { // two runners
			if err := s.AddSeal(t.Context(), invoicer.Seal{Run: run, Month: month, SealedAt: clickhousetest.Noon()}); err != nil {
				t.Fatal(err)
			}
		}
	}
	check := func(month schemas.Month, want ...schemas.RunHash) {
		t.Helper()
		got, err := s.MonthHashes(t.Context(), month, 9)
		if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("got %v, %v, want %v", got, err, want)
		}
	}
	sum := func(run int64, hashes ...schemas.InvoiceHash) schemas.RunHash {
		m := tables.NewMonthHash()
		for _, h := range hashes {
			m.Add(h.Code, h.Hash)
		}
		return schemas.RunHash{Run: run, Invoices: m.Invoices, Hash: m.Sum()}
	}
	a, b := hashOf("A", 1), hashOf("B", 2)
	for range 2 { // B's header waits: its account is parked
		write(t, s, 1, invoicer.Batch{Hashes: []schemas.InvoiceHash{b}})
		write(t, s, 1, invoicer.Batch{Hashes: []schemas.InvoiceHash{a}, Invoices: []schemas.Invoice{headerOf("A")}})
	}
	seal(1, september())
	check(september(), sum(1, a))
	if err := s.Forget(t.Context(), 1, []tables.RowKey{tables.HashKey(&b)}); err != nil {
		t.Fatal(err)
	}
	if again, err := s.Rehash(t.Context(), september(), 1); err != nil || fmt.Sprint(again) != fmt.Sprint([]schemas.RunHash{sum(1, a)}) {
		t.Errorf("hashes without a header are forgotten: got %v, %v", again, err)
	}
	write(t, s, 1, invoicer.Batch{Hashes: []schemas.InvoiceHash{b}, Invoices: []schemas.Invoice{headerOf("B")}})
	seal(1, september())
	check(september(), sum(1, a, b))
	seal(2, october()) // a month without any invoice
	check(october(), sum(2))
	clickhousetest.Merge(t, config(s), "month_hashes")
	check(september(), sum(1, a, b))
}

// R3: an invoice exists by its header, so that no seal may say that the month is done
// while one has other lines than its header tells, or lacks its hash.
func testLacking(t *testing.T, s *Store) {
	first, second := line(september(), "a", "whole", day(1), 0, "cpu", 1), line(september(), "a", "whole", day(1), 1, "ram", 2)
	h := header(5, schemas.KindInvoice, first, second)
	hash := hashIn(first)
	hash.Run = 5
	again := line(september(), "a", "whole", day(1), 2, "disk", 3)
	for _, step := range []struct {
		name          string
		batch         invoicer.Batch
		lines, hashes int64
	}{
		{"no lines", invoicer.Batch{Invoices: []schemas.Invoice{h}, Hashes: []schemas.InvoiceHash{hash}}, 0, 1},
		{"a line that is there twice", invoicer.Batch{Lines: []schemas.Line{first, first}}, 1, 1},
		{"both, and one of no invoice", invoicer.Batch{Lines: []schemas.Line{second, line(september(), "b", "other", day(1), 0, "cpu", 1)}}, 2, 1},
		{"one more", invoicer.Batch{Lines: []schemas.Line{again}}, 3, 1},
	} {
		t.Run(step.name, func(t *testing.T) {
			write(t, s, 5, step.batch)
			checkLacking(t, s, h, step.lines, step.hashes)
		})
	}
	direct := clickhousetest.Direct(t, config(s))
	for _, statement := range []string{
		"DELETE FROM invoice_lines WHERE run = 5 AND item = 'disk'", "DELETE FROM invoice_hashes WHERE run = 5",
	} {
		if err := direct.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	checkLacking(t, s, h, 2, 0)
}

// checkLacking seals the header's run, which is refused unless two lines and a hash are
// stored.
func checkLacking(t *testing.T, s *Store, h schemas.Invoice, lines, hashes int64) {
	t.Helper()
	err := s.AddSeal(t.Context(), invoicer.Seal{Run: h.Run, Month: h.Month, SealedAt: clickhousetest.Noon()})
	var lacks *invoicer.LacksError
	want := invoicer.LacksError{Run: h.Run, AccountID: "a", ResourceID: "whole", Code: h.Code, Lines: lines, Want: 2, Hashes: hashes}
	if whole := lines == 2 && hashes == 1; whole != (err == nil) || !whole && (!errors.As(err, &lacks) || *lacks != want) {
		t.Errorf("%d lines and %d hashes: got %v, want %v", lines, hashes, err, want)
	}
	seals, err := s.Seals(t.Context())
	sealed := slices.ContainsFunc(seals, func(one invoicer.Seal) bool { return one.Run == h.Run })
	if err != nil || sealed && lines < 2 || !sealed && lines == 2 {
		t.Errorf("%d lines: sealed %t, %v", lines, sealed, err)
	}
}

func testItemMinutes(t *testing.T, s *Store) {
	lived := func(run int64, month schemas.Month, resource string, lived, onLines, excluded int64) {
		t.Helper()
		m := schemas.ResourceMinutes{Month: month, AccountID: "a", ResourceID: resource}
		m.Lived, m.OnLines, m.Excluded = lived, onLines, excluded
		write(t, s, run, invoicer.Batch{Minutes: []schemas.ResourceMinutes{m}})
	}
	check := func(run int64, want ...schemas.AccountMinutes) {
		t.Helper()
		var got []schemas.AccountMinutes
		err := s.ItemMinutes(t.Context(), september(), run, func(m schemas.AccountMinutes) error {
			got = append(got, m)
			return nil
		})
		if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("up to run %d: got %v, %v, want %v", run, got, err, want)
		}
	}
	for range 2 {
		lived(11, september(), "r", 100, 80, 20)
		lived(11, september(), "gone", 7, 7, 0)
	}
	check(11, schemas.AccountMinutes{AccountID: "a", ItemMinutes: schemas.ItemMinutes{Lived: 107, OnLines: 87, Excluded: 20}})
	// A late event touches both: "r" is longer, "gone" has never been.
	if err := clickhousetest.Direct(t, config(s)).Exec(t.Context(), "INSERT INTO touched_resources VALUES (12, 'a', 'r'), (12, 'a', 'gone')"); err != nil {
		t.Fatal(err)
	}
	lived(12, september(), "r", 110, 90, 20)
	lived(12, october(), "r", 50, 50, 0)
	check(11, schemas.AccountMinutes{AccountID: "a", ItemMinutes: schemas.ItemMinutes{Lived: 107, OnLines: 87, Excluded: 20}})
	check(12, schemas.AccountMinutes{AccountID: "a", ItemMinutes: schemas.ItemMinutes{Lived: 110, OnLines: 90, Excluded: 20}})
	if n, err := s.ConservationDifference(t.Context()); err != nil || n != 0 {
		t.Errorf("difference %d, %v, want 0", n, err)
	}
	lived(12, october(), "other", 50, 40, 4)
	lived(12, september(), "other", 50, 53, 0)
	if n, err := s.ConservationDifference(t.Context()); err != nil || n != 6+3 {
		t.Errorf("difference %d, %v, want 9", n, err)
	}
}
