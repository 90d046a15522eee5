package codec

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/reckon-billing/reckon/schemas"
)

// The limits of contract 2.
const (
	maxItems           = 100
	maxTextBytes       = 256
	maxDecimals        = 9
	maxPercentDecimals = 4
	maxIntegerDigits   = 20
	maxWrittenExponent = 30
	maxAhead           = 10 * time.Minute
)

// Parser reads messages as events, strictly (contract 2). Its zero value reads
// all but coupons with decimals.
//
// When several things are wrong, the reason is the first of this order,
// whatever the order of keys and headers:
//
//  1. the message: no_value, too_large, duplicate_header, bad_content_type;
//  2. the value as JSON, all of it: not_json, invalid_utf8, duplicate_name;
//  3. the attributes: specversion, id, source, type, subject, time, sequence,
//     datacontenttype, dataschema, then the names of the others, then their
//     values;
//  4. data: data_base64, whether data is beside it, and as in 2 what it holds;
//     whether data is an object, then unknown fields, then the fields of its type
//     in the order of the family's file, items one by one (an item's unknown
//     fields first), then duplicate_item;
//  5. what joins fields: subject_mismatch, a missing expires_at of a prepaid
//     resource, expires_not_later;
//  6. the Kafka timestamp: no_timestamp, time_in_future.
//
// Of one field, the order is: missing, null, wrong type, empty, too long,
// UTF-8 (of a header), control character, and then what it means. An attribute
// that is null, or a header without a value, is one that is left out.
type Parser struct {
	// Currency is the installation's: coupons are in its whole minor units.
	Currency schemas.Currency
}

// Parse reads a message in structured or binary mode as a whole, valid event.
// The error is always a *Rejection with a reason of Reasons.
func (p Parser) Parse(m *schemas.Message) (schemas.Event, error) {
	e, err := p.ParseUndated(m)
	if err != nil {
		return schemas.Event{}, err
	}
	if r := checkTimestamp(&e, m.Time); r != nil {
		return schemas.Event{}, r
	}
	return e, nil
}

// ParseUndated is Parse without the two rules that look at the message's Kafka
// timestamp, no_timestamp and time_in_future: a replay looks at its events to
// choose the timestamp that it gives them (contract 7). The error is always a
// *Rejection.
func (p Parser) ParseUndated(m *schemas.Message) (schemas.Event, error) {
	e, r := p.parse(m)
	if r != nil {
		return schemas.Event{}, r
	}
	return e, nil
}

func (p Parser) parse(m *schemas.Message) (schemas.Event, *schemas.Rejection) {
	h, r := readHeaders(m)
	if r != nil {
		return schemas.Event{}, r
	}
	var raw rawEvent
	if h.binary {
		raw, r = readBinary(h.attributes, m.Value)
	} else {
		raw, r = readStructured(m.Value)
	}
	if r != nil {
		return schemas.Event{}, r
	}
	c := checker{currency: p.Currency, index: -1}
	e := c.event(&raw)
	if c.rejection != nil {
		return schemas.Event{}, c.rejection
	}
	return e, nil
}

func checkTimestamp(e *schemas.Event, stamp time.Time) *schemas.Rejection {
	if stamp.IsZero() {
		return &schemas.Rejection{Reason: RejectNoTimestamp, Detail: "the message has no Kafka timestamp"}
	}
	if e.Time.After(stamp.Add(maxAhead)) {
		return &schemas.Rejection{Reason: RejectTimeInFuture, Detail: "time: " + e.Time.Format(canonicalTime) +
			" is more than 10 minutes later than the Kafka timestamp " + stamp.UTC().Format(canonicalTime)}
	}
	return nil
}

const (
	contentTypeHeader = "content-type"
	attributePrefix   = "ce_"
	structuredPrefix  = "application/cloudevents"
)

// headers are what the rules of CloudEvents' Kafka binding look at.
type headers struct {
	binary bool
	// attributes are the ce_ headers without the prefix, in their order.
	attributes []rawMember
}

// readHeaders checks what is not the value's: step 1 of Parser.
func readHeaders(m *schemas.Message) (h headers, r *schemas.Rejection) {
	switch {
	case m.Value == nil:
		return h, &schemas.Rejection{Reason: RejectNoValue, Detail: "the message has no value"}
	case m.Omitted > 0:
		return h, &schemas.Rejection{Reason: RejectTooLarge, Detail: fmt.Sprintf(
			"the message is too large to be held: %d bytes of it are left out, which only the log has", m.Omitted)}
	case len(m.Value) > schemas.MaxEventBytes:
		return h, &schemas.Rejection{Reason: RejectTooLarge, Detail: "the value has more than 1 MiB"}
	}
	var seen []string
	var contentType []byte
	for _, header := range m.Headers {
		name, isAttribute := strings.CutPrefix(header.Key, attributePrefix)
		switch {
		case isAttribute:
			h.attributes = append(h.attributes, rawMember{name, headerValue(header.Value)})
			h.binary = h.binary || name == "specversion"
			seen = append(seen, header.Key)
		case header.Key == contentTypeHeader:
			contentType = header.Value
			seen = append(seen, header.Key)
		}
	}
	if twice := duplicate(seen); twice != "" {
		return h, &schemas.Rejection{Reason: RejectDuplicateHeader, Detail: quote(twice) + " is given twice"}
	}
	if contentType != nil && !isJSONType(string(contentType)) {
		return h, &schemas.Rejection{Reason: RejectBadContentType, Detail: "content-type: " + quote(string(contentType)) + " is not a JSON type"}
	}
	if len(contentType) >= len(structuredPrefix) && strings.EqualFold(string(contentType[:len(structuredPrefix)]), structuredPrefix) {
		h.binary = false
	}
	return h, nil
}

// headerValue is null for a header without a value.
func headerValue(value []byte) rawValue {
	if value == nil {
		return rawValue{kind: 'n'}
	}
	return rawValue{kind: '"', text: value}
}

// duplicate names a text that is there twice, the first of them when sorted, or
// none. It sorts: a hostile message has a hundred thousand headers.
func duplicate(texts []string) string {
	slices.Sort(texts)
	for i := 1; i < len(texts); i++ {
		if texts[i] == texts[i-1] {
			return texts[i]
		}
	}
	return ""
}

// isJSONType tells whether a media type is one of JSON: application/json,
// another type's json, or one that ends in +json, with or without parameters.
func isJSONType(s string) bool {
	media, parameters, _ := strings.Cut(s, ";")
	kind, subtype, found := strings.Cut(strings.TrimRight(media, " "), "/")
	if !found || !isToken(kind) || !isToken(subtype) || isHidden(parameters) || !utf8.ValidString(parameters) {
		return false
	}
	subtype = strings.ToLower(subtype)
	return subtype == "json" || strings.HasSuffix(subtype, "+json")
}

// isToken tells whether a text is a token of RFC 9110.
func isToken(s string) bool {
	for i := range len(s) {
		c := s[i]
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && strings.IndexByte("!#$%&'*+-.^_`|~", c) < 0 {
			return false
		}
	}
	return s != ""
}

// AccountOf reads data.account_id of a structured event that may be invalid in
// any way, as far as its JSON can be read up to there: a replay keys its lines
// by it (contract 7). It is false when there is none, or none that is a string
// with anything in it. Of repeated keys the first counts, and data before
// data_base64.
func AccountOf(value []byte) (string, bool) {
	d := newLenientDecoder(value)
	if !seek(d, "data") {
		d = newLenientDecoder(value)
		if !seek(d, "data_base64") {
			return "", false
		}
		text, _ := readText(d)
		data, _ := appendBase64(nil, []byte(text))
		d = newLenientDecoder(data)
	}
	if !seek(d, "account_id") {
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
