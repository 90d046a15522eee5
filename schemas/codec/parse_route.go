package codec

import (
	"github.com/go-json-experiment/json/jsontext"
	"github.com/reckon-billing/reckon/schemas"
)

// AccountOf reads data.account_id of a structured event that may be invalid in
// any way, as far as its JSON can be read up to there: a replay keys its lines
// by it (contract 7). It is false when there is none, or none that is a string
// with anything in it. Of repeated keys the first counts.
func AccountOf(value []byte) (string, bool) {
	d := newLenientDecoder(value)
	if !seek(d, "data") || !seek(d, "account_id") {
		return "", false
	}
	return readText(d)
}

// TypeOf reads the type of a structured event that may be invalid in any way,
// as far as its JSON can be read up to there: a replay sends its lines to a
// topic by it (contract 7). The type need not be one of Types. It is false when
// there is none, or none that is a string with anything in it.
func TypeOf(value []byte) (schemas.Type, bool) {
	d := newLenientDecoder(value)
	if !seek(d, "type") {
		return "", false
	}
	s, ok := readText(d)
	return schemas.Type(s), ok
}

func newLenientDecoder(value []byte) *jsontext.Decoder {
	return newDecoder(value, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
}

// seek enters the object that comes next and stops before the value of a name.
func seek(d *jsontext.Decoder, name string) bool {
	if d.PeekKind() != '{' {
		return false
	}
	if _, err := d.ReadToken(); err != nil {
		return false
	}
	for d.PeekKind() == '"' {
		v, err := readValue(d)
		if err != nil {
			return false
		}
		if string(v.text) == name {
			return true
		}
		if err := d.SkipValue(); err != nil {
			return false
		}
	}
	return false
}

func readText(d *jsontext.Decoder) (string, bool) {
	if d.PeekKind() != '"' {
		return "", false
	}
	v, err := readValue(d)
	return string(v.text), err == nil && len(v.text) > 0
}
