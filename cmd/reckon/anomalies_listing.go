package main

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"unicode/utf8"

	"github.com/reckon-billing/reckon/internal/report"
)

// listing writes rows of text and numbers in one of the formats of reports. It
// holds a page of them at most.
type listing struct {
	columns []string
	format  report.Format
	out     io.Writer
	rows    int

	csv   *csv.Writer
	table *tabwriter.Writer
}

// pageRows is how many rows of a table are aligned together.
const pageRows = 1_000

func newListing(out io.Writer, format report.Format, columns ...string) *listing {
	l := &listing{columns: columns, format: format, out: out}
	switch format {
	case report.CSV:
		l.csv = csv.NewWriter(out)
		_ = l.csv.Write(columns) // the writer keeps its first error
	case report.Table:
		l.table = tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
		_, _ = fmt.Fprintln(l.table, strings.ToUpper(strings.Join(columns, "\t"))) // likewise, until Flush
	case report.JSON:
	}
	return l
}

// write writes a row: texts and whole numbers, one for each column.
func (l *listing) write(fields ...any) error {
	l.rows++
	switch l.format {
	case report.CSV:
		return l.csv.Write(texts(fields, strings.Clone))
	case report.JSON:
		return l.object(fields)
	case report.Table:
	}
	if _, err := fmt.Fprintln(l.table, strings.Join(texts(fields, safeLine), "\t")); err != nil {
		return err
	}
	if l.rows%pageRows == 0 {
		return l.table.Flush()
	}
	return nil
}

func (l *listing) object(fields []any) error {
	var b strings.Builder
	b.WriteString(",\n{")
	if l.rows == 1 {
		b.Reset()
		b.WriteString("[\n{")
	}
	for i, field := range fields {
		if i > 0 {
			b.WriteByte(',')
		}
		if text, ok := field.(string); ok {
			field = strings.ToValidUTF8(text, "\uFFFD")
		}
		value, err := json.Marshal(field)
		if err != nil {
			return fmt.Errorf("%s: %w", l.columns[i], err)
		}
		fmt.Fprintf(&b, "%q:%s", l.columns[i], value)
	}
	b.WriteByte('}')
	_, err := io.WriteString(l.out, b.String())
	return err
}

// close ends the listing.
func (l *listing) close() error {
	switch l.format {
	case report.CSV:
		l.csv.Flush()
		return l.csv.Error()
	case report.JSON:
		end := "\n]\n"
		if l.rows == 0 {
			end = "[\n]\n"
		}
		_, err := io.WriteString(l.out, end)
		return err
	case report.Table:
	}
	return l.table.Flush()
}

func texts(fields []any, text func(string) string) []string {
	out := make([]string, len(fields))
	for i, field := range fields {
		out[i] = text(fmt.Sprint(field))
	}
	return out
}

// safe is bytes as people may see them: what is no printable text, and so could
// move their cursor or hide what stands there, is escaped. Line ends and tabs stay.
func safe(b []byte) string {
	var out strings.Builder
	for len(b) > 0 {
		r, size := utf8.DecodeRune(b)
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&out, `\x%02x`, b[0])
		case r == '\n', r == '\t', strconv.IsPrint(r):
			out.WriteRune(r)
		default:
			out.WriteString(strings.Trim(strconv.QuoteRuneToASCII(r), "'"))
		}
		b = b[size:]
	}
	return out.String()
}

// safeLine is safe for a cell of a table.
func safeLine(s string) string {
	return strings.NewReplacer("\n", `\n`, "\t", `\t`).Replace(safe([]byte(s)))
}
