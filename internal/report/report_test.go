package report

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/reckon-billing/reckon/schemas"
)

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

func at(t testing.TB, text string) time.Time {
	t.Helper()
	instant, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		t.Fatal(err)
	}
	return instant.UTC()
}

func dec(s string) decimal.Decimal { return decimal.RequireFromString(s) }

func vnd() schemas.Currency { return schemas.Currency{Code: "VND"} }

func usd() schemas.Currency { return schemas.Currency{Code: "USD", Digits: 2} }

func amounts(before, tax, coupon, total string) schemas.Amounts {
	return schemas.Amounts{BeforeTax: dec(before), TaxAmount: dec(tax), CouponValue: dec(coupon), TotalAmount: dec(total)}
}

// october is two servers and their traffic for the 31 days of October 2026: 2 ×
// 165,000 × 31/30 = 341,000 and 10% tax; 10 × 1,000; of a coupon of 5,000 the
// parts in proportion to 375,100 and 10,000 are 4,870 and 130.
func october(t testing.TB) []schemas.ReportRow {
	server := schemas.Line{
		InvoiceCode: "INV-2026-10-0123456789ABCDEFGHJK", AccountID: "acme", ResourceID: "srv-1",
		ResourceName: "Máy chủ web", Product: "vServer", Service: "Compute",
		Month:       schemas.Month{Year: 2026, Month: time.October},
		PeriodStart: at(t, "2026-09-30T17:00:00Z"), PeriodEnd: at(t, "2026-10-31T17:00:00Z"),
		Item: schemas.Item{
			Name: "s-general-2x4", Unit: "server", UnitPrice: dec("165000.000000000"), Quantity: dec("2"),
			Per: schemas.Per30d, DiscountPercent: dec("0.0000"), TaxPercent: dec("10.0000"),
		},
		Minutes: 44_640, Quantity: dec("2.000000000"), CouponCode: "TET2027",
		Amounts: amounts("341000", "34100", "4870", "370230"),
	}
	traffic := server
	traffic.Position = 1
	traffic.Item = schemas.Item{Name: "bandwidth", Unit: "GB", UnitPrice: dec("1000"), Meter: schemas.Sum, Per: schemas.PerUse, FreeQuantity: dec("2")}
	traffic.Quantity = dec("1e1")
	traffic.Amounts = amounts("10000", "0", "130", "9870")
	created := at(t, "2026-10-31T18:00:00.999Z")
	return []schemas.ReportRow{{Line: server, CreatedAt: created, Status: "Unpaid", Kind: schemas.KindInvoice}, {Line: traffic, CreatedAt: created, Status: "Unpaid", Kind: schemas.KindInvoice}}
}

// correction is the credit of a volume that a late event made smaller, and of
// another account a line of 10^15 with a long quantity.
func correction(t testing.TB) []schemas.ReportRow {
	volume := schemas.Line{
		InvoiceCode: "ADJ-2026-09-ZYXWVTSRQPNMKJHGFEDC", AccountID: "bình an, \"JSC\"", ResourceID: "vol;2",
		ResourceName: "O\u0302\u0309 đĩa", Product: "vStorage", Service: "Block <SSD> & more",
		Month:       schemas.Month{Year: 2026, Month: time.September},
		PeriodStart: at(t, "2026-09-10T03:05:00Z"), PeriodEnd: at(t, "2026-09-11T03:05:00Z"),
		Item: schemas.Item{
			Name: "ssd", Unit: "GB", UnitPrice: dec("7.7"), Quantity: dec("0.123456789"),
			Per: schemas.Per1h, DiscountPercent: dec("12.5000"), TaxPercent: dec("8.2500"),
		},
		Minutes: 1_440, Quantity: dec("0.123456789"), Amounts: amounts("-1500", "-120", "0", "-1620"),
	}
	large := volume
	large.InvoiceCode, large.AccountID, large.ResourceID, large.ResourceName = "ADJ-2026-09-00000000000000000000", "大きい", "=1+1", ""
	large.Item.UnitPrice, large.Quantity = dec("1000000000000000"), dec("0")
	large.Amounts = amounts("1000000000000000", "0", "0", "1000000000000000")
	created := at(t, "2026-10-31T18:00:00Z")
	return []schemas.ReportRow{{Line: volume, CreatedAt: created, Status: "Paid", Kind: schemas.KindAdjustment}, {Line: large, CreatedAt: created, Status: "Unpaid", Kind: schemas.KindAdjustment}}
}

// sliceRows hands out the same row over and over, as a cursor may.
type sliceRows struct {
	rows []schemas.ReportRow
	row  schemas.ReportRow
}

func (s *sliceRows) Next() (*schemas.ReportRow, error) {
	s.row = schemas.ReportRow{}
	if len(s.rows) == 0 {
		return nil, io.EOF
	}
	s.row, s.rows = s.rows[0], s.rows[1:]
	return &s.row, nil
}

func written(t testing.TB, format Format, o Options, rows []schemas.ReportRow) string {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, format, o, &sliceRows{rows: rows}); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// checkGolden compares with a file of testdata; UPDATE=1 rewrites it, to be read
// before it is committed.
func checkGolden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if os.Getenv("UPDATE") != "" {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs; got:\n%s\nwant:\n%s", path, got, want)
	}
}

func TestReportsAreAsTheContractSays(t *testing.T) {
	vietnam := Options{Zone: zone(t, "Asia/Ho_Chi_Minh"), Currency: vnd()}
	all := append(correction(t), october(t)...)
	for _, c := range []struct {
		golden string
		format Format
		rows   []schemas.ReportRow
	}{
		{"usage.csv", CSV, october(t)},
		{"corrections.csv", CSV, all},
		{"nothing.csv", CSV, nil},
		{"usage.json", JSON, october(t)},
		{"corrections.json", JSON, all},
		{"nothing.json", JSON, nil},
		{"usage.table", Table, october(t)},
		{"corrections.table", Table, all},
		{"nothing.table", Table, nil},
	} {
		t.Run(c.golden, func(t *testing.T) {
			checkGolden(t, c.golden, written(t, c.format, vietnam, c.rows))
		})
	}
}

// In New York clocks go back on 2026-11-01: the month begins at −04:00 and ends
// at −05:00, and an hour of its night stands there twice.
func TestTimesHaveTheOffsetOfTheirInstant(t *testing.T) {
	row := october(t)[0]
	row.PeriodStart, row.PeriodEnd = at(t, "2026-11-01T05:30:00Z"), at(t, "2026-11-01T06:30:00Z")
	row.CreatedAt = at(t, "2026-12-01T06:00:00.5Z")
	row.Amounts = amounts("0.5", "0.05", "0", "0.55")
	for name, want := range map[string][3]string{
		"America/New_York": {"2026-11-01T01:30:00-04:00", "2026-11-01T01:30:00-05:00", "2026-12-01T01:00:00-05:00"},
		"Asia/Kolkata":     {"2026-11-01T11:00:00+05:30", "2026-11-01T12:00:00+05:30", "2026-12-01T11:30:00+05:30"},
		"UTC":              {"2026-11-01T05:30:00+00:00", "2026-11-01T06:30:00+00:00", "2026-12-01T06:00:00+00:00"},
	} {
		o := Options{Zone: zone(t, name), Currency: usd()}
		fields := appendFields(nil, o, &row)
		if got := [3]string{fields[10], fields[11], fields[2]}; got != want {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
		if fields[17] != "0.50" || fields[18] != "0.05" || fields[20] != "0.00" || fields[21] != "0.55" {
			t.Errorf("amounts are %v, want two decimals each", fields[17:])
		}
	}
}

func TestAFormatIsOneOfThree(t *testing.T) {
	for _, name := range []string{"table", "csv", "json"} {
		if f, err := ParseFormat(name); err != nil || string(f) != name {
			t.Errorf("%s is %q, %v", name, f, err)
		}
	}
	for _, name := range []string{"", "CSV", "xml"} {
		if _, err := ParseFormat(name); err == nil {
			t.Errorf("%q is a format", name)
		}
	}
}
