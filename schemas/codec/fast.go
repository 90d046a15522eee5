package codec

import (
	"hash/maphash"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/reckon-billing/reckon/schemas"
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
	// kind is the type of the event being read, and family that of the fields of its
	// data so far, which may come before the type.
	kind   *eventType
	family family
	// extensions are the names of the extension attributes seen so far in one
	// event, to find one that is given twice.
	extensions [maxFastExtensions][]byte
	// attributes and fields are those seen so far in one event and in one of the
	// objects of its data.
	attributes attributeSet
	fields     fieldSet
	// nulls are those of the attributes that are null, and so are left out.
	nulls   attributeSet
	subject string
	items   []schemas.Item
	// unpacked is room for what a data_base64 holds.
	unpacked []byte
}

// What is beyond these the strict parser reads: comparing each with each would
// take long.
const (
	maxFastHeaders    = 32
	maxFastExtensions = 16
)

// NewFastParser gives a FastParser that agrees with p; there is no other way to
// get one.
func NewFastParser(p Parser) *FastParser {
	return &FastParser{Parser: p, words: knownTexts{seed: maphash.MakeSeed()}, kind: &known.types[0]}
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
	if len(m.Value) == 0 || len(m.Value) > schemas.MaxEventBytes || m.Omitted > 0 {
		return false
	}
	binary, ok := fastHeaders(m.Headers)
	if !ok {
		return false
	}
	p.scan.b, p.scan.i, p.scan.bad = m.Value, 0, false
	p.attributes, p.nulls, p.fields = 0, 0, 0
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
	kind := p.kind
	if p.attributes&^p.nulls&needed != needed || p.fields&kind.required != kind.required ||
		p.fields&^(kind.required|kind.optional) != 0 || (p.family != kind.family && p.family != noFamily) {
		return false
	}
	switch {
	case !kind.ofAccount:
		e.ResourceID = p.subject
	case p.subject != e.AccountID:
		return false
	}
	return kind.joins(e).reason == ""
}

// data reads the data of an event whose type may still be unknown: complete
// sees later whether the fields are those of the type.
func (p *FastParser) data(e *schemas.Event) bool {
	s := &p.scan
	if p.family = noFamily; p.attributes&(1<<attrType) != 0 {
		p.family = p.kind.family
	}
	var seen fieldSet
	for key := s.firstKey(); key != nil; key = s.nextKey() {
		f, ok := p.dataField(e, key)
		if !ok || seen.has(f) {
			return false
		}
		seen |= 1 << f
	}
	p.fields = seen
	return !s.bad
}

func (p *FastParser) dataField(e *schemas.Event, name []byte) (f field, ok bool) {
	if string(name) == "account_id" {
		e.AccountID, ok = p.own()
		return fieldAccountID, ok
	}
	if p.family == noFamily {
		p.family = familyWith(fieldNamed(string(name)))
	}
	return p.payload(e, name)
}

// own reads a text that comes next and is this event's alone.
func (p *FastParser) own() (string, bool) {
	t, ok := p.scan.text()
	if !ok {
		return "", false
	}
	return p.name(t)
}

// shared reads a text that comes next and that many events share.
func (p *FastParser) shared() (string, bool) {
	t, ok := p.scan.text()
	if !ok {
		return "", false
	}
	return p.word(t)
}

// oneOf reads a word, if it is one of those.
func oneOf[W ~string](p *FastParser, words ...W) (word W, ok bool) {
	t, ok := p.scan.text()
	if !ok {
		return "", false
	}
	for _, w := range words {
		if string(t) == string(w) {
			return w, true
		}
	}
	return "", false
}

func (p *FastParser) time() (at time.Time, ok bool) {
	t, ok := p.scan.text()
	if !ok {
		return at, false
	}
	return fastTime(t)
}

// number reads a number, given as one or as a string that holds one.
func (p *FastParser) number(decimals int) (d decimal.Decimal, ok bool) {
	s := &p.scan
	if s.i < len(s.b) && s.b[s.i] != '"' {
		return p.decimal(s.numeral(), decimals)
	}
	t, ok := s.text()
	if !ok {
		return d, false
	}
	return p.decimal(t, decimals)
}

func (p *FastParser) percent() (d decimal.Decimal, ok bool) {
	d, ok = p.number(maxPercentDecimals)
	return d, ok && !d.GreaterThan(hundred())
}
