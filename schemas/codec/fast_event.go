package codec

import (
	"math"
	"strings"

	"github.com/reckon-billing/reckon/schemas"
)

// event reads a structured event.
func (p *FastParser) event(e *schemas.Event) bool {
	s := &p.scan
	extensions, data := 0, false
	for key := s.firstKey(); key != nil; key = s.nextKey() {
		ok := false
		switch a := fastAttribute(key); {
		case string(key) == "data":
			ok = !data && p.data(e)
			data = true
		case a < 0:
			ok = p.extension(key, extensions) && p.extensionValue()
			extensions++
		case a == attrDataBase64:
			if ok = p.see(a); ok && !s.literal("null") {
				ok = !data && p.packed(e)
				data = true
			}
		default:
			ok = p.see(a) && p.attributeValue(e, a)
		}
		if !ok {
			return false
		}
	}
	return data && !s.bad
}

// attributeValue reads what an attribute with rules of its own is given.
func (p *FastParser) attributeValue(e *schemas.Event, a attribute) bool {
	if t, ok := p.scan.text(); ok {
		return p.attribute(e, a, t)
	}
	if p.scan.literal("null") {
		p.nulls |= 1 << a
		return true
	}
	return a == attrSequence && p.sequence(e)
}

// packed reads data that is written in base64.
func (p *FastParser) packed(e *schemas.Event) bool {
	t, ok := p.scan.text()
	if !ok {
		return false
	}
	if p.unpacked, ok = appendBase64(p.unpacked[:0], t); !ok {
		return false
	}
	event := p.scan
	p.scan = scanner{b: p.unpacked, unescaped: event.unescaped}
	ok = p.data(e) && p.scan.atEnd()
	p.scan = event
	return ok
}

// binary reads the attributes of an event whose data is the value.
func (p *FastParser) binary(headers []schemas.Header, e *schemas.Event) bool {
	for i := range headers {
		h := &headers[i]
		if !strings.HasPrefix(h.Key, attributePrefix) {
			continue
		}
		if !isPlain(h.Value) {
			return false
		}
		name := h.Key[len(attributePrefix):]
		if a := fastAttribute(name); a >= 0 {
			if h.Value == nil {
				p.nulls |= 1 << a
			} else if !p.attribute(e, a, h.Value) {
				return false
			}
			if !p.see(a) {
				return false
			}
			continue
		}
		if !isAttributeName(name) {
			return false
		}
		for j := range i {
			if headers[j].Key == h.Key {
				return false
			}
		}
	}
	return true
}

// see notes an attribute; it is false for one that was there before.
func (p *FastParser) see(a attribute) bool {
	seen := p.attributes&(1<<a) != 0
	p.attributes |= 1 << a
	return !seen
}

// fastAttribute is attributeNamed.
func fastAttribute[T string | []byte](name T) attribute {
	switch string(name) {
	case "specversion":
		return attrSpecVersion
	case "id":
		return attrID
	case "source":
		return attrSource
	case "type":
		return attrType
	case "subject":
		return attrSubject
	case "time":
		return attrTime
	case "sequence":
		return attrSequence
	case "datacontenttype":
		return attrDataContentType
	case "dataschema":
		return attrDataSchema
	case "data_base64":
		return attrDataBase64
	}
	return -1
}

// attribute checks an attribute that is a text.
func (p *FastParser) attribute(e *schemas.Event, a attribute, t []byte) (ok bool) {
	switch a {
	case attrSpecVersion:
		return string(t) == "1.0"
	case attrID:
		e.ID, ok = p.name(t)
	case attrSource:
		e.Source, ok = p.word(t)
	case attrType:
		e.Type, ok = p.typeOf(t)
	case attrSubject:
		p.subject, ok = p.name(t)
	case attrTime:
		e.Time, ok = fastTime(t)
	case attrSequence:
		e.Sequence, ok = fastSequence(t)
	case attrDataContentType:
		return string(t) == "application/json" || isJSONType(string(t))
	case attrDataSchema:
		return len(t) > 0
	default:
		return false
	}
	return ok
}

// name keeps a text of 1 to 256 bytes.
func (p *FastParser) name(t []byte) (string, bool) {
	if len(t) == 0 || len(t) > maxTextBytes {
		return "", false
	}
	return p.texts.keep(t), true
}

// typeOf finds the type of that name, which mostly is the last event's again.
func (p *FastParser) typeOf(t []byte) (schemas.Type, bool) {
	if string(t) == string(p.kind.name) {
		return p.kind.name, true
	}
	for i := range known.types {
		if string(t) == string(known.types[i].name) {
			p.kind = &known.types[i]
			return p.kind.name, true
		}
	}
	return "", false
}

// word is name for a text that many events share.
func (p *FastParser) word(t []byte) (string, bool) {
	if len(t) == 0 || len(t) > maxTextBytes {
		return "", false
	}
	return p.words.get(t), true
}

// sequence reads a sequence that is a number: digits, of which only a lone one
// may be a zero in front.
func (p *FastParser) sequence(e *schemas.Event) (ok bool) {
	t := p.scan.numeral()
	if len(t) > 1 && t[0] == '0' {
		return false
	}
	e.Sequence, ok = fastSequence(t)
	return ok
}

// extension notes the name of an extension attribute, the nth of its event; it
// is false for one that was there before.
func (p *FastParser) extension(name []byte, n int) bool {
	if n >= maxFastExtensions || len(name) == 0 {
		return false
	}
	for _, c := range name {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') {
			return false
		}
	}
	for _, earlier := range p.extensions[:n] {
		if string(earlier) == string(name) {
			return false
		}
	}
	p.extensions[n] = name
	return true
}

// extensionValue reads a text, a boolean, a whole number of 32 bits or null.
func (p *FastParser) extensionValue() bool {
	s := &p.scan
	switch s.next() {
	case '"':
		_, ok := s.text()
		return ok
	case 't':
		return s.literal("true")
	case 'f':
		return s.literal("false")
	case 'n':
		return s.literal("null")
	}
	t, limit := s.numeral(), int64(math.MaxInt32)
	if len(t) > 0 && t[0] == '-' {
		t, limit = t[1:], limit+1
	}
	n, ok := fastSequence(t)
	return ok && n <= limit && (len(t) == 1 || t[0] != '0')
}
