package report

import (
	"encoding/csv"
	"io"

	"github.com/reckon-billing/reckon/schemas"
)

// csvWriter writes as RFC 4180 says, but with lines ended by LF (contract 6).
type csvWriter struct {
	csv     *csv.Writer
	options Options
	fields  []string
	// text tells which fields hold text, where that is for a spreadsheet.
	text []bool
}

// byteOrderMark is that of UTF-8.
const byteOrderMark = "\uFEFF"

func newCSVWriter(w io.Writer, o Options) *csvWriter {
	c := &csvWriter{csv: csv.NewWriter(w), options: o}
	names := columns()
	if o.ForSpreadsheets {
		c.text = isText()
		names[0] = byteOrderMark + names[0]
	}
	// The buffer keeps its first error and gives it again at the next call.
	_ = c.csv.Write(names)
	return c
}

func (c *csvWriter) Write(row *schemas.ReportRow) error {
	c.fields = appendFields(c.fields[:0], c.options, row)
	for i := range c.text {
		if c.text[i] {
			c.fields[i] = cellText(c.fields[i])
		}
	}
	return c.csv.Write(c.fields)
}

func (c *csvWriter) Close() error {
	c.csv.Flush()
	return c.csv.Error()
}
