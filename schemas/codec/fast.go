package codec

import (
	"github.com/reckon-billing/reckon/schemas"
	"hash/maphash"
	"strings"
	"time"
)

// FastParser is Parser for the many: on every message it gives the answer that
// Parser gives, the same event or the same rejection, several times faster and
// almost without allocations.
//
// It reads a message once, from front to back, as long as everything is as
// products write it. At the first thing that is wrong, or only unusual, it gives
// up, and Parser decides alone. So it never rejects anything itself, and all it
// has to hold is one-sided: what it accepts, Parser accepts as an equal event.
//
// It is for one goroutine at a time. The texts of its events lie together in
// blocks of 16 KiB, so whoever keeps one text for long keeps its block.
type FastParser struct {
	Parser
	// Unsure counts the messages of Parse that Parser had to decide: the
	// rejected ones and the few that are written in an unusual way.
	Unsure int64

	scan     scanner
	texts    textBlock
	words    knownTexts
	decimals knownDecimals
	// types are the types there are, with the fields of their data; kind is the
	// one of the event being read.
	types []fastType
	kind  int
	// extensions are the names of the extension attributes seen so far in one
	// event, to find one that is given twice.
	extensions [maxFastExtensions][]byte
	// attributes and fields are those seen so far in one event and in one of the
	// objects of its data.
	attributes attributeSet
	fields     fieldSet
	subject    string
	items      []schemas.Item
}

// What is beyond these the strict parser reads: comparing each with each would
// take long.
const (
	maxFastHeaders    = 32
	maxFastExtensions = 16
)

// fastType is a type of event and the fields of its data.
type fastType struct {
	name               schemas.Type
	required, optional fieldSet
}

// NewFastParser gives a FastParser that agrees with p; there is no other way to
// get one.
func NewFastParser(p Parser) *FastParser {
	f := &FastParser{Parser: p, words: knownTexts{seed: maphash.MakeSeed()}}
	for _, t := range Types() {
		required, optional, _ := dataFields(t)
		f.types = append(f.types, fastType{t, required, optional})
	}
	return f
}

// Parse reads a message in structured or binary mode as a whole, valid event,
// exactly as Parser.Parse does. The error is always a *Rejection with a reason
// of Reasons. The event keeps nothing of the message.
func (p *FastParser) Parse(m *schemas.Message) (e schemas.Event, err error) {
	if p.read(m, &e) && inTime(&e, m.Time) {
		return e, nil
	}
	p.Unsure++
	return p.Parser.Parse(m)
}

// inTime is checkTimestamp without a reason.
func inTime(e *schemas.Event, stamp time.Time) bool {
	return !stamp.IsZero() && !e.Time.After(stamp.Add(maxAhead))
}

// read reads an event but for the rules that look at the Kafka timestamp. When
// it is false it says nothing, and the event holds nothing of use.
func (p *FastParser) read(m *schemas.Message, e *schemas.Event) bool {
	if len(m.Value) == 0 || len(m.Value) > schemas.MaxEventBytes {
		return false
	}
	binary, ok := fastHeaders(m.Headers)
	if !ok {
		return false
	}
	p.scan.b, p.scan.i, p.scan.bad = m.Value, 0, false
	p.attributes, p.fields = 0, 0
	if binary {
		ok = p.binary(m.Headers, e) && p.data(e)
	} else {
		ok = p.event(e)
	}
	return ok && p.scan.atEnd() && p.complete(e)
}

// fastHeaders finds out whether the message is in binary mode, and whether that
// is sure. That no ce_ header is given twice FastParser.binary sees; in
// structured mode there mostly is none.
func fastHeaders(headers []schemas.Header) (binary, ok bool) {
	if len(headers) > maxFastHeaders {
		return false, false
	}
	attributes, typed, structured := false, false, false
	for i := range headers {
		switch key := headers[i].Key; {
		case strings.HasPrefix(key, attributePrefix):
			attributes = true
			binary = binary || key == attributePrefix+"specversion"
		case key == contentTypeHeader:
			if structured, ok = isStructuredType(headers[i].Value); typed || !ok {
				return false, false
			}
			typed = true
		}
	}
	binary = binary && !structured
	return binary, binary || !attributes
}

// isStructuredType tells whether a content type says that the value is a whole
// event; ok is false when it is not one of JSON.
func isStructuredType(t []byte) (structured, ok bool) {
	switch string(t) {
	case "application/json":
		return false, true
	case structuredPrefix + "+json":
		return true, true
	}
	s := string(t)
	return len(s) >= len(structuredPrefix) && strings.EqualFold(s[:len(structuredPrefix)], structuredPrefix), isJSONType(s)
}

// complete checks what a list of members alone does not show: steps 4 and 5 of
// Parser, those rules that look at several fields.
func (p *FastParser) complete(e *schemas.Event) bool {
	const needed = 1<<attrSpecVersion | 1<<attrID | 1<<attrSource | 1<<attrType | 1<<attrSubject | 1<<attrTime
	kind := &p.types[p.kind]
	if p.attributes&needed != needed || p.fields&kind.required != kind.required ||
		p.fields&^(kind.required|kind.optional) != 0 {
		return false
	}
	if ofAccount(e.Type) {
		if p.subject != e.AccountID {
			return false
		}
	} else {
		e.ResourceID = p.subject
	}
	if e.ExpiresAt.IsZero() {
		return e.Type != schemas.ResourceCreated || e.Mode != schemas.Prepaid
	}
	return e.ExpiresAt.After(e.Time)
}
