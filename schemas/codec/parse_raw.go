package codec

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/reckon-billing/reckon/schemas"
)

// rawValue is one JSON value as it was written.
type rawValue struct {
	// kind is the JSON kind: '"' '0' 't' 'f' 'n' '{' or '['; 0 for left out.
	kind jsontext.Kind
	// text is what a string holds, unquoted, and all else as written.
	text []byte
}

type rawMember struct {
	name  string
	value rawValue
}

// rawObject is an object of data: its known fields, and the first field that no
// object of data has.
type rawObject struct {
	rawValue
	fields  [fieldCount]rawValue
	unknown *string
}

// rawEvent is an event of which only the JSON has been checked.
type rawEvent struct {
	attributes [attributeCount]rawValue
	// others are the other attributes, in the order they came.
	others []rawMember
	data   rawObject
	coupon rawObject
	// items are the first 100 elements of data.items; itemCount counts them all.
	items     []rawObject
	itemCount int
}

// readStructured reads an event that is the whole value.
func readStructured(value []byte) (raw rawEvent, r *schemas.Rejection) {
	d := newDecoder(value)
	if d.PeekKind() != '{' {
		if r := checkSyntax(value); r != nil {
			return raw, r
		}
		return raw, &schemas.Rejection{Reason: RejectWrongType, Detail: "the event is not a JSON object"}
	}
	if err := raw.readEvent(d); err != nil {
		return raw, syntaxRejection(value, err)
	}
	return raw, nil
}

// readBinary reads an event whose attributes are headers and whose data is the
// value.
func readBinary(attributes []rawMember, value []byte) (raw rawEvent, r *schemas.Rejection) {
	if r := raw.readDataAlone(value); r != nil {
		return raw, r
	}
	for _, m := range attributes {
		raw.attribute(m)
	}
	return raw, nil
}

// attribute puts an attribute where it belongs. One of our own that is null is left
// out; of another the name is still looked at.
func (raw *rawEvent) attribute(m rawMember) {
	switch a := attributeNamed(m.name); {
	case a < 0:
		raw.others = append(raw.others, m)
	case m.value.kind != 'n':
		raw.attributes[a] = m.value
	}
}

// readDataAlone reads data that is all of the bytes.
func (raw *rawEvent) readDataAlone(value []byte) *schemas.Rejection {
	d := newDecoder(value)
	err := raw.readData(d)
	if err == nil {
		err = readEnd(d)
	}
	if err != nil {
		return syntaxRejection(value, err)
	}
	return nil
}

func newDecoder(value []byte, options ...jsontext.Options) *jsontext.Decoder {
	// From a bytes.Buffer the decoder reads in place: what it hands out stays
	// as long as the message does.
	return jsontext.NewDecoder(bytes.NewBuffer(value), options...)
}

// errTrailing is what follows the one value that a message may hold.
var errTrailing = errors.New("more follows the JSON value")

func readEnd(d *jsontext.Decoder) error {
	switch _, err := d.ReadToken(); {
	case err == nil:
		return errTrailing
	case errors.Is(err, io.EOF):
		return nil
	default:
		return err
	}
}

func (raw *rawEvent) readEvent(d *jsontext.Decoder) error {
	err := readMembers(d, func(name []byte) error {
		if string(name) == "data" {
			return raw.readData(d)
		}
		v, err := readValue(d)
		if err != nil {
			return err
		}
		raw.attribute(rawMember{string(name), v})
		return nil
	})
	if err != nil {
		return err
	}
	return readEnd(d)
}

func (raw *rawEvent) readData(d *jsontext.Decoder) error {
	return raw.data.read(d, func(f field) (bool, error) {
		switch kind := d.PeekKind(); {
		case f == fieldItems && kind == '[':
			return true, raw.readItems(d)
		case f == fieldCoupon && kind == '{':
			raw.data.fields[fieldCoupon].kind = kind
			return true, raw.coupon.read(d, nil)
		default:
			return false, nil
		}
	})
}

func (raw *rawEvent) readItems(d *jsontext.Decoder) error {
	raw.data.fields[fieldItems].kind = '['
	if _, err := d.ReadToken(); err != nil {
		return err
	}
	for d.PeekKind() != ']' {
		raw.itemCount++
		if raw.itemCount > maxItems {
			if err := d.SkipValue(); err != nil {
				return err
			}
			continue
		}
		raw.items = append(raw.items, rawObject{})
		if err := raw.items[raw.itemCount-1].read(d, nil); err != nil {
			return err
		}
	}
	_, err := d.ReadToken()
	return err
}

// read reads a value that should be an object. inner may read a field itself.
func (o *rawObject) read(d *jsontext.Decoder, inner func(field) (bool, error)) (err error) {
	if d.PeekKind() != '{' {
		o.rawValue, err = readValue(d)
		return err
	}
	o.kind = '{'
	return readMembers(d, func(name []byte) error {
		f := fieldNamed(string(name))
		if f >= 0 && inner != nil {
			if done, err := inner(f); done || err != nil {
				return err
			}
		}
		v, err := readValue(d)
		if err != nil {
			return err
		}
		switch {
		case f >= 0:
			o.fields[f] = v
		case o.unknown == nil:
			s := string(name)
			o.unknown = &s
		}
		return nil
	})
}

// readMembers reads an object; read must read the value of each name.
func readMembers(d *jsontext.Decoder, read func(name []byte) error) error {
	if _, err := d.ReadToken(); err != nil {
		return err
	}
	for d.PeekKind() != '}' {
		name, err := readValue(d)
		if err != nil {
			return err
		}
		if err := read(name.text); err != nil {
			return err
		}
	}
	_, err := d.ReadToken()
	return err
}

func readValue(d *jsontext.Decoder) (v rawValue, err error) {
	raw, err := d.ReadValue()
	if err != nil {
		return v, err
	}
	v = rawValue{raw.Kind(), raw}
	if v.kind != '"' {
		return v, nil
	}
	if bytes.IndexByte(raw, '\\') < 0 {
		v.text = raw[1 : len(raw)-1]
		return v, nil
	}
	v.text, err = jsontext.AppendUnquote(nil, raw)
	return v, err
}

// checkSyntax reads the whole value, strictly.
func checkSyntax(value []byte) *schemas.Rejection {
	if err := readAll(value); err != nil {
		return syntaxRejection(value, err)
	}
	return nil
}

func readAll(value []byte, options ...jsontext.Options) error {
	d := newDecoder(value, options...)
	if err := d.SkipValue(); err != nil {
		return err
	}
	return readEnd(d)
}

// syntaxRejection tells the three ways of not being JSON apart: what stays wrong
// when the reader lets the other two through. first is what the strict reader
// said, which is of the last way when it is of neither other.
func syntaxRejection(value []byte, first error) *schemas.Rejection {
	repeats, anyText := jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)
	if err := readAll(value, repeats, anyText); err != nil {
		return &schemas.Rejection{Reason: RejectNotJSON, Detail: "the value is not JSON: " + where(err)}
	}
	if err := readAll(value, repeats); err != nil {
		return &schemas.Rejection{Reason: RejectInvalidUTF8, Detail: "the value is not valid UTF-8: " + where(err)}
	}
	return &schemas.Rejection{Reason: RejectDuplicateName, Detail: "a key is given twice: " + where(first)}
}

// where says at which byte and in which field a reader stopped.
func where(err error) string {
	var syntactic *jsontext.SyntacticError
	switch {
	case errors.As(err, &syntactic):
		return fmt.Sprintf("byte %d, at %s", syntactic.ByteOffset, quote(string(syntactic.JSONPointer)))
	case errors.Is(err, errTrailing):
		return errTrailing.Error()
	default:
		return "it ends too early"
	}
}
