package clickhouse

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/reckon-billing/reckon/aggregate"
	"github.com/reckon-billing/reckon/internal/clickhouse/clickhousetest"
	"github.com/reckon-billing/reckon/invoicer"
	"github.com/reckon-billing/reckon/schemas"
	"github.com/reckon-billing/reckon/schemas/tables"
)

// reports are the rows of a month, shortly.
func reports(t *testing.T, s *Store, month schemas.Month) []string {
	t.Helper()
	out := []string{}
	err := s.UsageReport(t.Context(), month, "", func(r schemas.ReportRow) error {
		out = append(out, short(r))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func short(r schemas.ReportRow) string {
	return fmt.Sprintf("%s/%s %d.%d %s %s %d %s", r.AccountID, r.ResourceID, r.PeriodStart.Day(), r.Position, r.Item.Name, r.TotalAmount, r.Run, r.Kind)
}

func testReportOrder(t *testing.T, s *Store) {
	first := []schemas.Line{
		line(september(), "b", "r", day(1), 0, "cpu", 5), line(september(), "a", "s", day(1), 1, "ram", -4),
		line(september(), "a", "s", day(1), 0, "zcpu", 3), line(september(), "a", "r", day(2), 0, "cpu", 2), line(september(), "a", "R", day(3), 0, "cpu", 1),
	}
	issue(t, s, 1, schemas.KindInvoice, first[0])
	issue(t, s, 1, schemas.KindInvoice, first[1], first[2])
	issue(t, s, 1, schemas.KindInvoice, first[3])
	issue(t, s, 1, schemas.KindInvoice, first[4])
	gone := line(september(), "a", "s", day(1), 1000, "ram", 9)
	issue(t, s, 2, schemas.KindAdjustment, gone, line(september(), "a", "s", day(1), 0, "zcpu", 8))
	issue(t, s, 2, schemas.KindInvoice, line(october(), "a", "r", day(30), 0, "cpu", 7))
	issue(t, s, 3, schemas.KindAdjustment, line(october(), "a", "r", day(30), 0, "cpu", 6))
	issue(t, s, 3, schemas.KindAdjustment, line(september(), "z", "r", day(1), 0, "cpu", 4))
	issue(t, s, 3, schemas.KindInvoice, line(october().Next(), "a", "r", day(30), 0, "cpu", 2))
	want := []string{
		"a/R 3.0 cpu 1 1 invoice", "a/r 2.0 cpu 2 1 invoice",
		"a/s 1.0 zcpu 3 1 invoice", "a/s 1.0 zcpu 8 2 adjustment", "a/s 1.1 ram -4 1 invoice", "a/s 1.1000 ram 9 2 adjustment",
		"b/r 1.0 cpu 5 1 invoice", "z/r 1.0 cpu 4 3 adjustment",
	}
	if got := reports(t, s, september()); !slices.Equal(got, want) {
		t.Errorf("September: got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	status := map[string]string{}
	err := s.UsageReport(t.Context(), september(), "a", func(r schemas.ReportRow) error {
		if r.AccountID != "a" {
			t.Errorf("a row of account %s", r.AccountID)
		}
		status[r.Item.Name+r.TotalAmount.String()] = r.Status
		return nil
	})
	// The invoice of -4 and 3 totals -1: every row of it is Paid.
	if err != nil || status["zcpu3"] != "Paid" || status["ram-4"] != "Paid" || status["cpu2"] != "Unpaid" || status["zcpu8"] != "Unpaid" {
		t.Errorf("got %v, %v", status, err)
	}
	var got []string
	err = s.RunRows(t.Context(), 3, func(r schemas.ReportRow) error {
		got = append(got, r.Month.String()+" "+short(r))
		return nil
	})
	want = []string{"2026-09 z/r 1.0 cpu 4 3 adjustment", "2026-10 a/r 30.0 cpu 6 3 adjustment", "2026-11 a/r 30.0 cpu 2 3 invoice"}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("run 3: got %q, %v, want %q", got, err, want)
	}
	stop := errors.New("stop")
	if err := s.UsageReport(t.Context(), september(), "", func(schemas.ReportRow) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("got %v, want the error of yield", err)
	}
}

func testUsageReportView(t *testing.T, s *Store) {
	columns := strings.Fields(strings.ReplaceAll(`account_id, invoice_code, created_at, status, resource_name, resource_id,
		product_name, service_name, item, unit, period_start, period_end, minutes, unit_price, quantity, discount_percent, tax_percent,
		before_tax, tax_amount, coupon_code, coupon_value, total_amount, month, kind, run, position, line_number`, ",", ""))
	rows, err := clickhousetest.Direct(t, config(s)).Query(t.Context(), "SELECT * FROM usage_report")
	if err != nil {
		t.Fatal(err)
	}
	if got := rows.Columns(); !slices.Equal(got, columns) || rows.Next() {
		t.Errorf("an empty view has columns %q, want %q", got, columns)
	}
	if err := rows.Close(); err != nil {
		t.Fatal(err)
	}
	// In Berlin the clocks go back on 25 October 2026 at 01:00 UTC.
	if _, err := s.AddRun(t.Context(), schemas.Run{Number: 1, Kind: schemas.KindSeal, Month: october(), FirstMonth: october(), CreatedAt: clickhousetest.Noon(), Zone: "Europe/Berlin"}); err != nil {
		t.Fatal(err)
	}
	l := line(october(), "a", "r", time.Date(2026, 10, 25, 0, 30, 0, 0, time.UTC), 0, "cpu", 1)
	issue(t, s, 1, schemas.KindInvoice, l)
	issue(t, s, 1, schemas.KindInvoice, line(september(), "a", "r", day(1), 0, "cpu", 1))
	var created, start, end, product string
	var price, square decimal.Decimal
	err = clickhousetest.Direct(t, config(s)).QueryRow(t.Context(), `SELECT created_at, period_start, period_end, product_name, unit_price, quantity * unit_price
		FROM usage_report WHERE month = '2026-10'`).Scan(&created, &start, &end, &product, &price, &square)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"2026-10-15T14:00:00+02:00", "2026-10-25T02:30:00+02:00", "2026-10-25T02:30:00+01:00", "vServer"}
	if got := []string{created, start, end, product}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if !price.Equal(l.Item.UnitPrice) || !square.Equal(l.Item.UnitPrice.Mul(l.Quantity)) {
		t.Errorf("price %s, price × quantity %s", price, square)
	}
}

func testQuotes(t *testing.T, s *Store) {
	for _, text := range []string{
		`'; DROP TABLE events; --`, `\'`, `\`, `"`, "`", `{accounts:Array(String)}`, `%27`, "\t", `\N`, `NULL`, `' OR '1'='1`, `[]`, `Đặng'`,
	} {
		l := line(september(), text, text, day(1), 0, text, 1)
		l.CouponCode = text
		issue(t, s, 1, schemas.KindInvoice, l)
		clickhousetest.Store(t, s, clickhousetest.UsageEvent(text, text, text, clickhousetest.Noon(), 1))
		rows := 0
		err := s.UsageReport(t.Context(), september(), text, func(r schemas.ReportRow) error {
			rows++
			if r.AccountID != text || r.ResourceID != text || r.Item.Name != text || r.CouponCode != text {
				t.Errorf("%q: got %+v", text, r.Line)
			}
			return nil
		})
		if err != nil || rows != 1 {
			t.Errorf("report of account %q: %d rows, %v", text, rows, err)
		}
		latest := time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)
		of := aggregate.Scope{
			Cutoff: clickhousetest.Everything(), To: latest, UsageTo: latest, Run: 1, Named: true,
			Accounts: []string{text, `'`}, Except: []string{`\`, "x'"},
		}
		want := 1
		if text == `\` {
			want = 0
		}
		cursor, err := s.Events(t.Context(), of, aggregate.Usage)
		got := 0
		for _, rows := range clickhousetest.Collect(t, cursor, err) {
			got += len(rows.Times)
		}
		if got != want {
			t.Errorf("events of account %q: %d, want %d", text, got, want)
		}
		gone := line(september(), text, text, day(2), 1, text, 1)
		write(t, s, 7, invoicer.Batch{Lines: []schemas.Line{gone}})
		if err := s.Forget(t.Context(), 7, []tables.RowKey{tables.LineKey(&gone)}); err != nil {
			t.Errorf("forget account %q: %v", text, err)
		}
		if cursor, err := s.Written(t.Context(), 7, []string{text}); len(clickhousetest.Collect(t, cursor, err)) > 0 {
			t.Errorf("a line of %q was not forgotten", text)
		}
	}
	if n := clickhousetest.Number(t, config(s), "SELECT toInt64(count()) FROM events"); n != 13 {
		t.Errorf("%d events, want 13", n)
	}
}
