package report

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"unicode"

	"github.com/shopspring/decimal"
	"pgregory.net/rapid"

	"github.com/reckon-billing/reckon/schemas"
)

var errFull = errors.New("no space left")

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errFull }

// drawText draws what the contract lets through: valid UTF-8 without control
// characters, with all that quoting must withstand.
func drawText(t *rapid.T, label string) string {
	return rapid.OneOf(
		rapid.SampledFrom([]string{"", " ", `"`, `""`, ",", `a,"b"`, ` lead`, `trail `, `\.`, `\`, "=1+1", "#", "<&>", "\u2028", "\u00a0x", "đĩa", "大"}),
		rapid.Map(rapid.String(), func(s string) string {
			return strings.Map(func(r rune) rune {
				if unicode.IsControl(r) || r == unicode.ReplacementChar {
					return -1
				}
				return r
			}, strings.ToValidUTF8(s, ""))
		}),
	).Draw(t, label)
}

func drawRow(t *rapid.T, base schemas.ReportRow) schemas.ReportRow {
	number := func(label string, digits int32) decimal.Decimal {
		return decimal.New(rapid.Int64().Draw(t, label), -digits)
	}
	r := base
	for label, text := range map[string]*string{
		"account": &r.AccountID, "resource": &r.ResourceID, "name": &r.ResourceName, "product": &r.Product,
		"service": &r.Service, "item": &r.Item.Name, "unit": &r.Item.Unit, "coupon": &r.CouponCode,
	} {
		*text = drawText(t, label)
	}
	r.Minutes = rapid.Int64().Draw(t, "minutes")
	r.Item.UnitPrice, r.Quantity = number("price", 9), number("quantity", 9)
	r.BeforeTax, r.TaxAmount = number("before", 2), number("tax", 2)
	r.CouponValue, r.TotalAmount = number("value", 2), number("total", 2)
	return r
}

// What another reader makes of the CSV and of the JSON is what was written.
func TestEveryFieldIsReadBackFromCSVAndJSON(t *testing.T) {
	o := Options{Zone: zone(t, "Asia/Ho_Chi_Minh"), Currency: usd()}
	base := october(t)[0]
	rapid.Check(t, func(r *rapid.T) {
		rows := rapid.SliceOfN(rapid.Custom(func(r *rapid.T) schemas.ReportRow { return drawRow(r, base) }), 0, 4).Draw(r, "rows")
		text := written(t, CSV, o, rows)
		if strings.Contains(text, "\r") || !strings.HasSuffix(text, "\n") {
			r.Fatalf("lines do not end by LF:\n%q", text)
		}
		table, err := csv.NewReader(strings.NewReader(text)).ReadAll()
		if err != nil {
			r.Fatal(err)
		}
		objects := readObjects(r, written(t, JSON, o, rows))
		if len(table) != len(rows)+1 || len(objects) != len(rows) {
			r.Fatalf("%d rows became %d of CSV and %d of JSON", len(rows), len(table)-1, len(objects))
		}
		for i := range rows {
			checkRow(r, o, &rows[i], table[0], table[i+1], objects[i])
		}
	})
}

func readObjects(t *rapid.T, text string) []map[string]any {
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	var objects []map[string]any
	if err := decoder.Decode(&objects); err != nil {
		t.Fatalf("%v of %q", err, text)
	}
	return objects
}

func checkRow(t *rapid.T, o Options, row *schemas.ReportRow, names, fields []string, object map[string]any) {
	want := appendFields(nil, o, row)
	if len(object) != len(want) {
		t.Fatalf("the object has %d members, want %d", len(object), len(want))
	}
	for i, name := range names {
		var member any = want[i]
		if name == "minutes" {
			member = json.Number(want[i])
		}
		if fields[i] != want[i] || object[name] != member {
			t.Fatalf("%s is %q in CSV and %q in JSON, want %q", name, fields[i], object[name], want[i])
		}
	}
	for name, d := range map[string]decimal.Decimal{
		"unit_price": row.Item.UnitPrice, "quantity": row.Quantity, "before_tax": row.BeforeTax, "tax_amount": row.TaxAmount,
		"coupon_value": row.CouponValue, "total_amount": row.TotalAmount,
	} {
		if read, err := decimal.NewFromString(object[name].(string)); err != nil || !read.Equal(d) {
			t.Fatalf("%s is %s, want %s (%v)", name, read, d, err)
		}
	}
}

// counting is one row many times that notes how much was written at each call.
type counting struct {
	row     schemas.ReportRow
	left    int
	out     *bytes.Buffer
	longest int
	before  int
	fail    error
}

func (c *counting) Next() (*schemas.ReportRow, error) {
	c.longest = max(c.longest, c.out.Len()-c.before)
	c.before = c.out.Len()
	if c.left--; c.left < 0 {
		if c.fail != nil {
			return nil, c.fail
		}
		return nil, io.EOF
	}
	return &c.row, nil
}

// However long the report, only a buffer or a page of it waits to be written.
func TestALongReportIsWrittenAsItIsRead(t *testing.T) {
	o := Options{Zone: zone(t, "Asia/Ho_Chi_Minh"), Currency: vnd()}
	for format, most := range map[Format]int{CSV: 8 << 10, JSON: 8 << 10, Table: 500 << 10} {
		var out bytes.Buffer
		rows := &counting{row: october(t)[0], left: 5_000, out: &out}
		if err := Write(&out, format, o, rows); err != nil {
			t.Fatal(err)
		}
		if rows.longest > most || out.Len() < 1<<20 {
			t.Errorf("%s: of %d bytes up to %d waited for one row", format, out.Len(), rows.longest)
		}
	}
}

func TestALongTableHasItsHeaderOnEachPageAndOneTotal(t *testing.T) {
	var out bytes.Buffer
	o := Options{Zone: zone(t, "Asia/Ho_Chi_Minh"), Currency: vnd()}
	if err := Write(&out, Table, o, &counting{row: october(t)[0], left: 2_001, out: &bytes.Buffer{}}); err != nil {
		t.Fatal(err)
	}
	got := out.String()
	if n := strings.Count(got, "account_id"); n != 3 {
		t.Errorf("%d headers, want 3", n)
	}
	if n := strings.Count(got, "acme"); n != 2_001 {
		t.Errorf("%d lines, want 2,001", n)
	}
	lines := strings.Split(strings.TrimSpace(got), "\n")
	// 2,001 × 370,230 = 740,830,230.
	if last := lines[len(lines)-1]; !strings.HasPrefix(last, "total VND   2,001 lines") || !strings.HasSuffix(last, " 740,830,230") {
		t.Errorf("the last line is %q", last)
	}
}

// A report that broke off must not look whole.
func TestAReportWhoseRowsFailIsNotEnded(t *testing.T) {
	o := Options{Zone: zone(t, "UTC"), Currency: vnd()}
	broken := errors.New("the connection is gone")
	for _, format := range []Format{CSV, JSON, Table} {
		var out bytes.Buffer
		err := Write(&out, format, o, &counting{row: october(t)[0], left: 3_000, out: &out, fail: broken})
		if !errors.Is(err, broken) {
			t.Errorf("%s: the error is %v", format, err)
		}
		if got := out.String(); strings.HasSuffix(got, "]\n") || strings.Contains(got, "total VND") {
			t.Errorf("%s: the report looks whole", format)
		}
	}
}

func TestAReportThatCannotBeWrittenIsAnError(t *testing.T) {
	o := Options{Zone: zone(t, "UTC"), Currency: vnd()}
	for _, format := range []Format{CSV, JSON, Table} {
		for _, n := range []int{0, 1, 3_000} {
			err := Write(fullDisk{}, format, o, &counting{row: october(t)[0], left: n, out: &bytes.Buffer{}})
			if !errors.Is(err, errFull) {
				t.Errorf("%s of %d rows: the error is %v", format, n, err)
			}
		}
	}
}

func TestWidthsAreThoseOfATerminal(t *testing.T) {
	for text, want := range map[string]int{
		"": 0, "abc": 3, "Ổ đĩa": 5, "O\u0302\u0309 d\u0323": 3, "大きい": 6, "ＡＢ": 4, "a\u200bb": 2, "× −": 3,
	} {
		g := NewGrid(Left, Left)
		g.Add(text, "|")
		g.Add("----------", "|")
		var b strings.Builder
		if err := g.Flush(&b); err != nil {
			t.Fatal(err)
		}
		spaces := strings.Repeat(" ", 10-want+2)
		if got, _, _ := strings.Cut(b.String(), "\n"); got != text+spaces+"|" {
			t.Errorf("%q takes not %d cells: %q", text, want, got)
		}
	}
}

func TestNumbersAreGroupedByThreeBeforeThePoint(t *testing.T) {
	for text, want := range map[string]string{
		"0": "0", "7": "7", "123": "123", "1234": "1,234", "-123": "-123", "-1234.5678": "-1,234.5678", "123456": "123,456",
		"1000000000000000": "1,000,000,000,000,000", "0.123456789": "0.123456789",
	} {
		if got := grouped(text); got != want {
			t.Errorf("%s is %s, want %s", text, got, want)
		}
	}
}

func TestASpanIsSpelledInDaysHoursAndMinutes(t *testing.T) {
	for minutes, want := range map[int64]string{
		0: "0 minutes", 1: "1 minute", 59: "59 minutes", 60: "1 hour", 1_440: "1 day", 1_563: "1 day 2 hours 3 minutes",
		44_640: "31 days", 1_440_001: "1,000 days 1 minute",
	} {
		if got := span(minutes); got != want {
			t.Errorf("%d minutes are %s, want %s", minutes, got, want)
		}
	}
}

func BenchmarkCSV(b *testing.B)  { benchmark(b, CSV) }
func BenchmarkJSON(b *testing.B) { benchmark(b, JSON) }

func benchmark(b *testing.B, format Format) {
	w := NewWriter(io.Discard, format, Options{Zone: zone(b, "Asia/Ho_Chi_Minh"), Currency: schemas.Currency{Code: "VND"}})
	row := october(b)[0]
	b.ReportAllocs()
	for b.Loop() {
		if err := w.Write(&row); err != nil {
			b.Fatal(err)
		}
	}
}
