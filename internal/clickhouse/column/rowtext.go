package column

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/shopspring/decimal"
)

// A row as one text: of each column the length of its value's text, a colon and that
// text. Two rows are the same exactly where their texts are, whatever is in them, and
// the server writes the same text (RowExpression) as AppendRow does of what is to be
// inserted. So what is stored is compared with what should be by the columns that it
// was inserted from, without a second list of them.

// RowValue is a column of a row: its text, and its value for people, which differs where
// the text does.
type RowValue struct{ Name, Text, Shown string }

// AppendRow appends the text of the one row that the columns hold.
func AppendRow(b []byte, row Input) ([]byte, error) {
	var room [64]byte
	for i := range row {
		text, err := appendValue(room[:0], row[i].Data, 0)
		if err != nil {
			return nil, fmt.Errorf("column %s: %w", row[i].Name, err)
		}
		b = appendText(b, text)
	}
	return b, nil
}

// Values are the columns of the one row that they hold.
func Values(row Input) ([]RowValue, error) {
	text, err := AppendRow(nil, row)
	if err != nil {
		return nil, err
	}
	return RowValues(row, string(text))
}

func appendText(b, text []byte) []byte {
	return append(append(strconv.AppendInt(b, int64(len(text)), 10), ':'), text...)
}

// appendValue appends the text of a value of a column.
func appendValue(b []byte, data any, row int) ([]byte, error) {
	switch c := data.(type) {
	case *StringInput:
		return append(b, c.at(row)...), nil
	case *ArenaInput:
		return c.appendFirst(b), nil
	case *LowCardinalityInput:
		return append(b, c.words.at(int(c.keys[row]))...), nil
	case *FixedStrings16:
		return hex.AppendEncode(b, (*c)[row][:]), nil
	case *FixedStrings:
		return hex.AppendEncode(b, c.Row(row)), nil
	case *Int64s:
		return strconv.AppendInt(b, (*c)[row], 10), nil
	case millis:
		return strconv.AppendInt(b, (*c.ColInt64)[row], 10), nil
	case *Int32s:
		return strconv.AppendInt(b, int64((*c)[row]), 10), nil
	case *UInt8s:
		return strconv.AppendUint(b, uint64((*c)[row]), 10), nil
	case *Bools:
		if (*c)[row] {
			return append(b, '1'), nil
		}
		return append(b, '0'), nil
	case *Decimal32Input:
		return append(b, decimal.New(int64(c.ColDecimal32[row]), -c.Places).String()...), nil
	case *Decimal128Input:
		return append(b, DecimalOf128(c.ColDecimal128[row], c.Places).String()...), nil
	case *Decimal256Input:
		return append(b, DecimalOf256(c.ColDecimal256[row], c.Places).String()...), nil
	case *ArrayInput:
		return appendList(b, c)
	case TupleInput:
		return appendTuple(b, c, row)
	}
	return nil, fmt.Errorf("a %T has no text", data)
}

// appendList appends the texts of the values of a list, which has one row.
func appendList(b []byte, c *ArrayInput) ([]byte, error) {
	var room []byte
	for i := range c.Values.Rows() {
		text, err := appendValue(room[:0], c.Values, i)
		if err != nil {
			return nil, err
		}
		b, room = appendText(b, text), text
	}
	return b, nil
}

func appendTuple(b []byte, c TupleInput, row int) ([]byte, error) {
	for i := range c {
		text, err := appendValue(nil, c[i].Data, row)
		if err != nil {
			return nil, err
		}
		b = appendText(b, text)
	}
	return b, nil
}

// at is value i: as many before it are passed over.
func (c *StringInput) at(i int) []byte {
	rest := c.bytes
	for {
		length, size := binary.Uvarint(rest)
		value := rest[size : size+int(length)] //nolint:gosec // as Add wrote it
		if i == 0 {
			return value
		}
		rest, i = rest[size+len(value):], i-1
	}
}

// appendFirst appends the first value.
func (c *ArenaInput) appendFirst(b []byte) []byte {
	left := -1
	c.each(func(slab []byte) {
		if left < 0 {
			length, size := binary.Uvarint(slab)  // a slab is longer than that
			slab, left = slab[size:], int(length) //nolint:gosec // as Add wrote it
		}
		n := min(left, len(slab))
		b, left = append(b, slab[:n]...), left-n
	})
	return b
}

// RowExpression is an expression of SQL that gives the text of a row of a table with
// these columns.
func RowExpression(columns Input) string {
	texts := make([]string, len(columns))
	for i := range columns {
		texts[i] = textExpression(columns[i].Name, string(columns[i].Data.Type()))
	}
	return "arrayStringConcat(arrayMap(t -> concat(toString(length(t)), ':', t), [" + strings.Join(texts, ", ") + "]))"
}

// textExpression gives the text of a value, as appendValue does.
func textExpression(value, kind string) string {
	if element, isList := inside(kind, "Array"); isList {
		return "arrayStringConcat(arrayMap(x -> " + lengthAndText(textExpression("x", element)) + ", " + value + "))"
	}
	if elements, isTuple := inside(kind, "Tuple"); isTuple {
		var texts []string
		for i, element := range strings.Split(elements, ", ") {
			_, kind, _ := strings.Cut(element, " ")
			texts = append(texts, lengthAndText(textExpression(fmt.Sprintf("%s.%d", value, i+1), kind)))
		}
		return "concat(" + strings.Join(texts, ", ") + ")"
	}
	switch {
	case strings.HasPrefix(kind, "DateTime64"):
		return "toString(toUnixTimestamp64Milli(" + value + "))"
	case kind == "Bool":
		return "toString(toUInt8(" + value + "))"
	case strings.HasPrefix(kind, "FixedString"):
		return "lower(hex(" + value + "))" // toString would end it at its first zero byte
	}
	return "toString(" + value + ")"
}

func lengthAndText(text string) string {
	return "concat(toString(length(" + text + ")), ':', " + text + ")"
}

// inside is what stands in the brackets of a kind.
func inside(kind, of string) (string, bool) {
	rest, found := strings.CutPrefix(kind, of+"(")
	return strings.TrimSuffix(rest, ")"), found
}

// RowValues takes the text of a row apart.
func RowValues(columns Input, text string) ([]RowValue, error) {
	values, rest := make([]RowValue, len(columns)), text
	for i := range columns {
		value, left, ok := cutText(rest)
		if !ok {
			return nil, fmt.Errorf("a row of %d columns ends in column %s", len(columns), columns[i].Name)
		}
		rest = left
		values[i] = RowValue{columns[i].Name, value, shown(value, string(columns[i].Data.Type()))}
	}
	if rest != "" {
		return nil, fmt.Errorf("a row of %d columns goes on", len(columns))
	}
	return values, nil
}

func cutText(text string) (value, rest string, ok bool) {
	length, rest, found := strings.Cut(text, ":")
	n, err := strconv.Atoi(length)
	if !found || err != nil || n < 0 || n > len(rest) {
		return "", "", false
	}
	return rest[:n], rest[n:], true
}

// shown is a value's text for people.
func shown(text, kind string) string {
	if element, isList := inside(kind, "Array"); isList {
		return "[" + strings.Join(shownAll(text, func(int) string { return element }), ", ") + "]"
	}
	if elements, isTuple := inside(kind, "Tuple"); isTuple {
		all := strings.Split(elements, ", ")
		return strings.Join(shownAll(text, func(i int) string {
			_, kind, _ := strings.Cut(all[i], " ")
			return kind
		}), "/")
	}
	if ms, err := strconv.ParseInt(text, 10, 64); err == nil && strings.HasPrefix(kind, "DateTime64") {
		return time.UnixMilli(ms).UTC().Format("2006-01-02T15:04:05.000Z")
	}
	return text
}

// shownAll are the values of a list or tuple; texts are quoted, that one ends where the
// next begins.
func shownAll(text string, kind func(i int) string) []string {
	var all []string
	for {
		value, rest, ok := cutText(text)
		if !ok {
			return all
		}
		of := kind(len(all))
		value = shown(value, of)
		if of == "String" {
			value = strconv.Quote(value)
		}
		all, text = append(all, value), rest
	}
}
