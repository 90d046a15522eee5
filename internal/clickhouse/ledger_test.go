package clickhouse

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/reckon-billing/reckon/internal/audit"
	"github.com/reckon-billing/reckon/internal/clickhouse/clickhousetest"
	"github.com/reckon-billing/reckon/internal/clickhouse/column"
	"github.com/reckon-billing/reckon/invoicer"
	"github.com/reckon-billing/reckon/schemas"
	"github.com/reckon-billing/reckon/schemas/tables"
)

func september() schemas.Month { return schemas.Month{Year: 2026, Month: 9} }

func october() schemas.Month { return schemas.Month{Year: 2026, Month: 10} }

// day is an instant of September 2026.
func day(n int) time.Time { return time.Date(2026, 9, n, 0, 0, 0, 0, time.UTC) }

// line is one of an item, of the amount in đồng.
func line(month schemas.Month, account, resource string, start time.Time, position int, item string, amount int64) schemas.Line {
	value := decimal.NewFromInt(amount)
	return schemas.Line{
		InvoiceCode: schemas.InvoiceCode(account, resource, month, start), AccountID: account, ResourceID: resource,
		ResourceName: "Máy chủ", Product: "vServer", Service: "Compute", Month: month, PeriodStart: start, PeriodEnd: start.Add(time.Hour),
		Position: position, Minutes: 60, Quantity: decimal.RequireFromString("12345678901234567890.123456789"),
		Item: schemas.Item{
			Name: item, Unit: "vCPU", UnitPrice: decimal.RequireFromString("99999999999999999999.999999999"), Quantity: value,
			Per: schemas.Per30d, DiscountPercent: decimal.RequireFromString("33.3333"), TaxPercent: decimal.NewFromInt(10),
		},
		Amounts: schemas.Amounts{BeforeTax: value, TotalAmount: value},
	}
}

// header is the invoice over lines of one code.
func header(run int64, kind schemas.Kind, lines ...schemas.Line) schemas.Invoice {
	first := lines[0]
	h := schemas.Invoice{
		Code: first.InvoiceCode, Kind: kind, AccountID: first.AccountID, ResourceID: first.ResourceID, Month: first.Month, Run: run,
		CreatedAt: clickhousetest.Noon(), PeriodStart: first.PeriodStart, PeriodEnd: first.PeriodEnd, Lines: len(lines),
	}
	for _, l := range lines {
		h.Amounts = h.Add(l.Amounts)
	}
	return h
}

func write(t *testing.T, s *Store, run int64, batch invoicer.Batch) {
	t.Helper()
	batch.Run.Number = run
	for i := range batch.Lines {
		batch.Lines[i].Run = run
	}
	for i := range batch.Periods {
		batch.Periods[i].Run = run
	}
	for i := range batch.Snapshots {
		batch.Snapshots[i].Run = run
	}
	for i := range batch.Minutes {
		batch.Minutes[i].Run = run
	}
	if err := s.Write(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
}

func period(account, resource string) schemas.Period {
	closed := schemas.EventRef{Source: "s", ID: "2", Type: schemas.ResourceDeleted, Time: day(2), Position: schemas.Position{Topic: "t", Partition: 1, Offset: 2}}
	item := schemas.PeriodItem{
		Item:     schemas.Item{Name: "băng thông", Unit: "GB", UnitPrice: decimal.NewFromInt(7), Meter: schemas.Sum, Per: schemas.PerUse},
		Measured: decimal.RequireFromString("0.000000001"), Billed: decimal.RequireFromString("0.000000001"), Usage: 3,
	}
	return schemas.Period{
		AccountID: account, ResourceID: resource, ResourceName: "n", Product: "p", Service: "v", Month: september(),
		Start: day(1), End: day(2), Mode: schemas.Postpaid,
		Balance: &schemas.CouponBalance{Coupon: schemas.Coupon{Code: "TẾT", Value: decimal.New(1, 15)}, Source: "s", ID: "1", Used: decimal.NewFromInt(5)},
		Items:   []schemas.PeriodItem{item, item}, OpenedBy: schemas.EventRef{Source: "s", ID: "1", Type: schemas.ResourceCreated, Time: day(1)},
		ClosedBy: &closed,
	}
}

func testLedgerTwice(t *testing.T, s *Store) {
	huge := line(september(), "a", "r", day(1), 0, "cpu", 1)
	huge.Amounts = schemas.Amounts{
		BeforeTax: decimal.New(1, 15), TaxAmount: decimal.New(1, 55), CouponValue: decimal.New(1, 14), TotalAmount: decimal.New(-1, 75),
	}
	huge.CouponCode = "TẾT'"
	ram := line(september(), "a", "r", day(1), 1, "ram", 2)
	h := header(1, schemas.KindInvoice, huge, ram)
	h.LateEvents = 101
	h.Late = []schemas.EventRef{{Source: "s", ID: "1", Type: schemas.UsageRecorded, Time: day(3), Position: schemas.Position{Topic: "t", Partition: 7, Offset: 1 << 40}}}
	edge := schemas.Snapshot{AccountID: "a", ResourceID: "r", At: october(), State: "{}"}
	dead := schemas.Snapshot{AccountID: "a", ResourceID: "s", At: october(), State: "{}", Deleted: true}
	batch := invoicer.Batch{
		Lines: []schemas.Line{huge, ram}, Periods: []schemas.Period{period("a", "r")},
		Snapshots: []schemas.Snapshot{edge, dead}, Invoices: []schemas.Invoice{h},
	}
	for range 2 {
		write(t, s, 1, batch)
		// Cut elsewhere.
		write(t, s, 1, invoicer.Batch{Lines: batch.Lines[:1]})
		write(t, s, 1, invoicer.Batch{Lines: batch.Lines[1:], Periods: batch.Periods, Snapshots: batch.Snapshots[:1], Invoices: batch.Invoices})
	}
	tables := []string{"invoice_lines", "invoices", "periods", "edges", "tombstones"}
	for _, when := range []string{"before a merge", "after a merge"} {
		got, rows, err := s.Invoice(t.Context(), h.Code)
		if err != nil || len(rows) != 2 {
			t.Fatalf("%s: %d rows, %v", when, len(rows), err)
		}
		if !got.Equal(h.Amounts) || fmt.Sprint(got.Late) != fmt.Sprint(h.Late) || got.LateEvents != 101 {
			t.Errorf("%s: got %+v", when, got)
		}
		got.Amounts = h.Amounts
		if fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", h) {
			t.Errorf("%s: got\n%+v, want\n%+v", when, got, h)
		}
		for i, want := range []schemas.Line{huge, ram} {
			r := rows[i]
			if !r.Equal(want.Amounts) || !r.Item.Equal(&want.Item) || !r.Quantity.Equal(want.Quantity) ||
				!r.PeriodStart.Equal(want.PeriodStart) || !r.PeriodEnd.Equal(want.PeriodEnd) || r.CouponCode != want.CouponCode ||
				r.InvoiceCode != want.InvoiceCode || r.ResourceName != want.ResourceName || r.Product != want.Product ||
				r.Service != want.Service || r.Month != want.Month || r.Minutes != want.Minutes || r.Position != want.Position {
				t.Errorf("%s: got\n%+v, want\n%+v", when, r.Line, want)
			}
			if r.Status != "Paid" || r.Run != 1 || r.Kind != schemas.KindInvoice || !r.CreatedAt.Equal(clickhousetest.Noon()) {
				t.Errorf("%s: got %+v: a total of zero or less is Paid at birth", when, r)
			}
		}
		for table, want := range map[string]int64{"invoice_lines": 2, "invoices": 1, "periods": 1, "edges": 1, "tombstones": 1} {
			if n := clickhousetest.Number(t, config(s), "SELECT toInt64(count()) FROM {table:Identifier} FINAL", column.Bind("table", table)); n != want {
				t.Errorf("%s: %d rows in %s, want %d", when, n, table, want)
			}
		}
		for _, table := range tables {
			clickhousetest.Merge(t, config(s), table)
		}
	}
	var billed []decimal.Decimal
	var coupon decimal.Decimal
	var closed string
	err := clickhousetest.Direct(t, config(s)).QueryRow(t.Context(), "SELECT item_billed, coupon_value, closed_id FROM periods FINAL").Scan(&billed, &coupon, &closed)
	if err != nil || len(billed) != 2 || billed[1].String() != "0.000000001" || !coupon.Equal(decimal.New(1, 15)) || closed != "2" {
		t.Errorf("period: %v %v %q, %v", billed, coupon, closed, err)
	}
	huge.TotalAmount = decimal.New(1, 76)
	if err := s.Write(t.Context(), invoicer.Batch{Lines: []schemas.Line{huge}}); err == nil {
		t.Error("an amount of 77 digits was stored")
	}
	for _, code := range []string{"INV-2026-09-00000000000000000000", "nonsense", ""} {
		if _, _, err := s.Invoice(t.Context(), code); !errors.Is(err, audit.ErrNotFound) {
			t.Errorf("%q: got %v, want %v", code, err, audit.ErrNotFound)
		}
	}
}

// R3: what is forgotten are the rows that are named, and nothing beside them: not what
// another runner has written of the same account meanwhile, and nothing of what exists.
func testForget(t *testing.T, s *Store) {
	issued, broken := line(september(), "a", "issued", day(1), 0, "cpu", 1), line(september(), "a", "broken", day(1), 0, "it's \\ cpu", 2)
	other := line(september(), "b", "other", day(1), 0, "cpu", 3)
	attempt := invoicer.Batch{
		Lines:   []schemas.Line{issued, broken, other},
		Periods: []schemas.Period{period("a", "issued"), period("a", "broken"), period("b", "other")},
		Snapshots: []schemas.Snapshot{
			{AccountID: "a", ResourceID: "issued", At: october()},
			{AccountID: "a", ResourceID: "broken", At: october()},
			{AccountID: "a", ResourceID: "broken", At: october(), Deleted: true},
			{AccountID: "b", ResourceID: "other", At: october()},
		},
		Minutes:  []schemas.ResourceMinutes{{Month: september(), AccountID: "a", ResourceID: "broken"}, {Month: september(), AccountID: "b", ResourceID: "other"}},
		Hashes:   []schemas.InvoiceHash{hashIn(issued), hashIn(broken), hashIn(other)},
		Invoices: []schemas.Invoice{header(2, schemas.KindInvoice, issued)},
	}
	write(t, s, 2, attempt)
	count := func(want string) {
		t.Helper()
		var got []string
		for _, table := range []string{"invoice_lines", "periods", "edges", "tombstones", "item_minutes", "invoice_hashes"} {
			got = append(got, fmt.Sprint(clickhousetest.Number(t, config(s), "SELECT toInt64(count()) FROM {table:Identifier} FINAL", column.Bind("table", table))))
		}
		if strings.Join(got, " ") != want {
			t.Errorf("lines, periods, edges, tombstones, minutes, hashes: got %q, want %q", got, want)
		}
	}
	written := func(run int64, accounts ...string) []tables.RowKey {
		t.Helper()
		cursor, err := s.Written(t.Context(), run, accounts)
		return clickhousetest.Collect(t, cursor, err)
	}
	forget := func(run int64, rows ...tables.RowKey) {
		t.Helper()
		if err := s.Forget(t.Context(), run, rows); err != nil {
			t.Fatal(err)
		}
	}
	count("3 3 3 1 2 3")
	want := keysOf(attempt, "a")
	got := written(2, "a")
	if !slices.IsSortedFunc(got, func(a, b tables.RowKey) int { return a.Compare(b.ResourceKey) }) {
		t.Errorf("not by resource: %q", got)
	}
	slices.SortFunc(got, compareKeys)
	if !slices.Equal(got, want) {
		t.Errorf("written are\n%q, want\n%q", got, want)
	}
	if other := append(written(1, "a", "b"), written(2, "c")...); len(other) > 0 || len(written(2, "a", "b")) != len(want)+5 {
		t.Errorf("of other runs and accounts %q", other)
	}
	forget(2)
	forget(1, want...)
	count("3 3 3 1 2 3")
	// All of an account that was written, but for the resource that has an invoice.
	forget(2, want...)
	count("2 2 2 0 1 2")
	// The very same blocks again: the server must not take them for known.
	write(t, s, 2, attempt)
	count("3 3 3 1 2 3")
	// One line of two with one place, that stands beside those that are derived.
	forget(2, tables.LineKey(&broken))
	count("2 3 3 1 2 3")
}

func hashIn(l schemas.Line) schemas.InvoiceHash {
	return schemas.InvoiceHash{Month: l.Month, AccountID: l.AccountID, ResourceID: l.ResourceID, Code: l.InvoiceCode, Run: 2}
}

// keysOf are the keys of a batch's rows of one account, sorted.
func keysOf(b invoicer.Batch, account string) []tables.RowKey {
	var keys []tables.RowKey
	for i := range b.Lines {
		keys = append(keys, tables.LineKey(&b.Lines[i]))
	}
	for i := range b.Periods {
		keys = append(keys, tables.PeriodKey(&b.Periods[i]))
	}
	for i := range b.Snapshots {
		keys = append(keys, tables.SnapshotKey(&b.Snapshots[i]))
	}
	for i := range b.Minutes {
		keys = append(keys, tables.MinutesKey(&b.Minutes[i]))
	}
	for i := range b.Hashes {
		keys = append(keys, tables.HashKey(&b.Hashes[i]))
	}
	keys = slices.DeleteFunc(keys, func(k tables.RowKey) bool { return k.AccountID != account })
	slices.SortFunc(keys, compareKeys)
	return keys
}

func compareKeys(a, b tables.RowKey) int {
	return cmp.Or(a.Compare(b.ResourceKey), strings.Compare(a.Table, b.Table), strings.Compare(a.Place, b.Place))
}

// issue writes lines and their header for a run.
func issue(t *testing.T, s *Store, run int64, kind schemas.Kind, lines ...schemas.Line) {
	t.Helper()
	if kind == schemas.KindAdjustment {
		for i := range lines {
			lines[i].InvoiceCode = schemas.AdjustmentCode(lines[i].AccountID, lines[i].ResourceID, lines[i].Month, run)
		}
	}
	write(t, s, run, invoicer.Batch{Lines: lines, Invoices: []schemas.Invoice{header(run, kind, lines...)}})
}

func testInvoiced(t *testing.T, s *Store) {
	r1, r2 := line(september(), "a", "r", day(1), 0, "cpu", 1), line(september(), "a", "r", day(1), 1, "ram", 2)
	issue(t, s, 1, schemas.KindInvoice, r1, r2)
	issue(t, s, 1, schemas.KindInvoice, line(september(), "a", "r", day(5), 0, "cpu", 3))
	issue(t, s, 1, schemas.KindInvoice, line(september(), "a", "untouched", day(1), 0, "cpu", 4))
	issue(t, s, 1, schemas.KindInvoice, line(september(), "b", "r", day(1), 0, "cpu", 5))
	issue(t, s, 2, schemas.KindAdjustment, line(september(), "a", "r", day(1), 0, "cpu", 6))
	issue(t, s, 2, schemas.KindInvoice, line(october(), "a", "r", day(30), 0, "cpu", 7))
	issue(t, s, 3, schemas.KindInvoice, line(october().Next(), "a", "r", day(30), 0, "cpu", 8))
	write(t, s, 1, invoicer.Batch{Lines: []schemas.Line{line(september(), "a", "r", day(9), 0, "no header", 9)}})
	// A line of run 2 under a code whose header is of run 1: not of that invoice.
	write(t, s, 2, invoicer.Batch{Lines: []schemas.Line{line(september(), "a", "r", day(1), 2, "of another run", 9)}})
	// Another header of a code that exists changes nothing, merged or not.
	again := line(september(), "b", "r", day(1), 0, "cpu", 50)
	issue(t, s, 2, schemas.KindInvoice, again)
	if h, rows, err := s.Invoice(t.Context(), again.InvoiceCode); err != nil || h.Run != 1 || len(rows) != 1 || rows[0].TotalAmount.String() != "5" {
		t.Errorf("got %+v with %d lines, %v, want the invoice of run 1", h, len(rows), err)
	}
	clickhousetest.Merge(t, config(s), "invoices")
	if err := clickhousetest.Direct(t, config(s)).Exec(t.Context(), "INSERT INTO touched_resources VALUES (3, 'a', 'r'), (3, 'a', ''), (3, 'b', 'r')"); err != nil {
		t.Fatal(err)
	}
	read := func(run int64, accounts []string) string {
		t.Helper()
		cursor, err := s.Invoiced(t.Context(), run, accounts)
		var got []string
		for _, l := range clickhousetest.Collect(t, cursor, err) {
			got = append(got, l.AccountID+l.TotalAmount.String())
		}
		return strings.Join(got, " ")
	}
	for _, test := range []struct {
		run      int64
		accounts []string
		want     string
	}{
		{3, nil, "a1 a2 a3 a6 a7 b5"},
		{3, []string{"b"}, "b5"},
		{3, []string{}, ""},
		{2, nil, ""},
	} {
		if got := read(test.run, test.accounts); got != test.want {
			t.Errorf("run %d, accounts %q: got %q, want %q", test.run, test.accounts, got, test.want)
		}
	}
}
