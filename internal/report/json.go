package report

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"

	"github.com/reckon-billing/reckon/schemas"
)

// jsonWriter writes an array of objects, one a line. Decimals are strings, as a
// reader's numbers may be binary floats; minutes are a number.
type jsonWriter struct {
	out     *bufio.Writer
	options Options
	names   []string
	fields  []string
	rows    int
	line    bytes.Buffer
	text    *json.Encoder
}

func newJSONWriter(w io.Writer, o Options) *jsonWriter {
	j := &jsonWriter{out: bufio.NewWriter(w), options: o, names: columns()}
	j.text = json.NewEncoder(&j.line)
	j.text.SetEscapeHTML(false)
	return j
}

func (j *jsonWriter) Write(row *schemas.ReportRow) error {
	j.fields = appendFields(j.fields[:0], j.options, row)
	j.line.Reset()
	for i, name := range j.names {
		j.line.WriteString(separator(i == 0, "{", ","))
		j.line.WriteString(`"` + name + `":`)
		if name == minutesColumn {
			j.line.WriteString(j.fields[i])
		} else if err := j.quote(j.fields[i]); err != nil {
			return fmt.Errorf("%s of line %d of invoice %s: %w", name, row.Position, row.InvoiceCode, err)
		}
	}
	j.line.WriteString("}")
	_, _ = j.out.WriteString(separator(j.rows == 0, "[\n", ",\n"))
	j.rows++
	_, err := j.out.Write(j.line.Bytes())
	return err
}

func (j *jsonWriter) Close() error {
	_, _ = j.out.WriteString(separator(j.rows == 0, "[", "") + "\n]\n")
	return j.out.Flush()
}

// quote writes a JSON string without the encoder's newline.
func (j *jsonWriter) quote(s string) error {
	if err := j.text.Encode(s); err != nil {
		return err
	}
	j.line.Truncate(j.line.Len() - 1)
	return nil
}

func separator(first bool, before, between string) string {
	if first {
		return before
	}
	return between
}
