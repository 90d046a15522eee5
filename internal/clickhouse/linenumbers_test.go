package clickhouse

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/shopspring/decimal"

	"github.com/reckon-billing/reckon/internal/clickhouse/clickhousetest"
	"github.com/reckon-billing/reckon/schemas"
	"github.com/reckon-billing/reckon/schemas/migrations"
)

// numbered are lines with their places in their document.
func numbered(lines ...schemas.Line) []schemas.Line {
	for i := range lines {
		lines[i].Number = i + 1
	}
	return lines
}

// takenBack is the line with its signs turned.
func takenBack(l schemas.Line) schemas.Line {
	l.Quantity, l.Amounts = l.Quantity.Neg(), l.Neg()
	return l
}

// An adjustment takes a line back and invoices it anew: of one item, position and
// period, whether merged or not, in the order of the document and in that of reports.
func testTwoRowsOfALine(t *testing.T, s *Store) {
	cpu := line(september(), "a", "r", day(1), 0, "cpu", 5)
	ram, gone := line(september(), "a", "r", day(1), 1, "ram", 7), line(september(), "a", "r", day(1), 0, "gone", 2)
	issue(t, s, 1, schemas.KindInvoice, numbered(cpu, ram)...)
	now := cpu
	now.Amounts = schemas.Amounts{BeforeTax: decimal.NewFromInt(8), TotalAmount: decimal.NewFromInt(8)}
	rows := numbered(takenBack(ram), ram, takenBack(cpu), now, takenBack(gone))
	for range 2 {
		issue(t, s, 2, schemas.KindAdjustment, rows...)
	}
	said := func(all []schemas.ReportRow) string {
		var out []string
		for _, r := range all {
			out = append(out, fmt.Sprintf("%d.%d %s %s", r.Run, r.Number, r.Item.Name, r.TotalAmount))
		}
		return strings.Join(out, ", ")
	}
	for _, when := range []string{"before a merge", "after a merge"} {
		_, all, err := s.Invoice(t.Context(), rows[0].InvoiceCode)
		if want := "2.1 ram -7, 2.2 ram 7, 2.3 cpu -5, 2.4 cpu 8, 2.5 gone -2"; err != nil || said(all) != want {
			t.Errorf("%s: the adjustment is %s, %v, want %s", when, said(all), err, want)
		}
		all = nil
		keep := func(r schemas.ReportRow) error {
			all = append(all, r)
			return nil
		}
		err = s.RunRows(t.Context(), 2, keep)
		if want := "2.1 ram -7, 2.2 ram 7, 2.3 cpu -5, 2.4 cpu 8, 2.5 gone -2"; err != nil || said(all) != want {
			t.Errorf("%s: the run issued %s, %v, want %s", when, said(all), err, want)
		}
		all = nil
		err = s.UsageReport(t.Context(), september(), "", keep)
		if want := "1.1 cpu 5, 2.3 cpu -5, 2.4 cpu 8, 2.5 gone -2, 1.2 ram 7, 2.1 ram -7, 2.2 ram 7"; err != nil || said(all) != want {
			t.Errorf("%s: the report is %s, %v, want %s", when, said(all), err, want)
		}
		if n := clickhousetest.Number(t, config(s), "SELECT toInt64(count()) FROM usage_report"); n != 7 {
			t.Errorf("%s: finance sees %d rows, want 7", when, n)
		}
		cursor, err := s.AllInvoiced(t.Context(), 3)
		var order []string
		for _, l := range clickhousetest.Collect(t, cursor, err) {
			order = append(order, fmt.Sprintf("%d.%d", l.Run, l.Number))
		}
		if want := []string{"1.1", "1.2", "2.1", "2.2", "2.3", "2.4", "2.5"}; !slices.Equal(order, want) {
			t.Errorf("%s: invoiced are %q, want %q", when, order, want)
		}
		clickhousetest.Merge(t, config(s), "invoice_lines")
	}
}

// testLinesWithoutNumbers is of a store of the version before: what sealed runs issued
// reads 0, of a run that broke off all is to be written again.
func testLinesWithoutNumbers(t *testing.T, s *Store) {
	all, err := migrations.All()
	if err != nil {
		t.Fatal(err)
	}
	numbers := slices.IndexFunc(all, func(m migrations.Migration) bool { return m.Name == "0017_line_numbers.sql" })
	if err := s.createDatabase(t.Context()); err != nil {
		t.Fatal(err)
	}
	apply := func(some []migrations.Migration, times int) {
		t.Helper()
		for i := range some {
			for range times {
				if err := s.apply(t.Context(), &some[i]); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	apply(all[:numbers], 1)
	for _, statement := range []string{
		`INSERT INTO invoice_lines (month, account_id, resource_id, period_start, position, run, invoice_code, item, quantity, total_amount) VALUES
			('2026-09', 'a', 'r', '2026-09-01 00:00:00', 0, 1, 'INV-2026-09-A', 'cpu', 1, 5), ('2026-09', 'a', 'r', '2026-09-01 00:00:00', 0, 2, 'ADJ-2026-09-A', 'cpu', 2, 3),
			('2026-10', 'a', 'r', '2026-10-01 00:00:00', 0, 3, 'INV-2026-10-A', 'cpu', 2, 8)`,
		`INSERT INTO invoices (month, account_id, resource_id, code, kind, run) VALUES
			('2026-09', 'a', 'r', 'INV-2026-09-A', 'invoice', 1), ('2026-09', 'a', 'r', 'ADJ-2026-09-A', 'adjustment', 2), ('2026-10', 'a', 'r', 'INV-2026-10-A', 'invoice', 3)`,
		`INSERT INTO seals (run, sealed_at, month) VALUES (1, now64(3), '2026-09'), (2, now64(3), '2026-09')`,
	} {
		if err := clickhousetest.Direct(t, config(s)).Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	apply(all[numbers:], 2) // and again, after a crash
	for _, when := range []string{"before a merge", "after a merge"} {
		cursor, err := s.AllInvoiced(t.Context(), 4)
		var got []string
		for _, l := range clickhousetest.Collect(t, cursor, err) {
			got = append(got, fmt.Sprintf("%s %d %s", l.InvoiceCode, l.Number, l.TotalAmount))
		}
		if want := []string{"INV-2026-09-A 0 5", "ADJ-2026-09-A 0 3"}; !slices.Equal(got, want) {
			t.Errorf("%s: lines are %q, want %q", when, got, want)
		}
		clickhousetest.Merge(t, config(s), "invoice_lines")
	}
	october := line(october(), "a", "r", day(30), 0, "cpu", 8)
	issue(t, s, 3, schemas.KindInvoice, numbered(october)...)
	if _, rows, err := s.Invoice(t.Context(), october.InvoiceCode); err != nil || len(rows) != 1 || rows[0].Number != 1 {
		t.Errorf("the run that broke off has %+v, %v; want its line once", rows, err)
	}
}
