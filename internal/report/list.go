package report

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// List writes rows of text and numbers in one of the formats of reports. It holds
// a page of them at most.
type List struct {
	columns []string
	format  Format
	out     io.Writer
	rows    int

	csv  *csv.Writer
	page *Grid
}

// NewList begins a list.
func NewList(out io.Writer, format Format, columns ...string) *List {
	l := &List{columns: columns, format: format, out: out}
	switch format {
	case CSV:
		l.csv = csv.NewWriter(out)
		_ = l.csv.Write(columns) // the writer keeps its first error
	case Table:
		l.page = NewGrid()
		l.page.Add(texts(columns, strings.ToUpper)...)
	case JSON:
	}
	return l
}

// Rows is how many were written.
func (l *List) Rows() int { return l.rows }

// Write writes a row: texts and whole numbers, one for each column.
func (l *List) Write(fields ...any) error {
	l.rows++
	switch l.format {
	case CSV:
		return l.csv.Write(texts(fields, strings.Clone))
	case JSON:
		return l.object(fields)
	case Table:
	}
	l.page.Add(texts(fields, SafeLine)...)
	if l.rows%pageRows == 0 {
		return l.page.Flush(l.out)
	}
	return nil
}

func (l *List) object(fields []any) error {
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

// Close ends the list.
func (l *List) Close() error {
	switch l.format {
	case CSV:
		l.csv.Flush()
		return l.csv.Error()
	case JSON:
		end := "\n]\n"
		if l.rows == 0 {
			end = "[\n]\n"
		}
		_, err := io.WriteString(l.out, end)
		return err
	case Table:
	}
	return l.page.Flush(l.out)
}

func texts[T any](fields []T, text func(string) string) []string {
	out := make([]string, len(fields))
	for i, field := range fields {
		out[i] = text(fmt.Sprint(field))
	}
	return out
}
