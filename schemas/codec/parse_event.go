package codec

import (
	"slices"
	"strconv"

	"github.com/reckon-billing/reckon/schemas"
)

// attribute is one of the CloudEvents attributes that have rules of their own.
type attribute int

const (
	attrSpecVersion attribute = iota
	attrID
	attrSource
	attrType
	attrSubject
	attrTime
	attrSequence
	attrDataContentType
	attrDataSchema
	attrDataBase64
	attributeCount
)

// attributeSet is a set of attributes.
type attributeSet uint32

// There are no more attributes than a set has room for, else this does not compile.
const _ = uint(32 - attributeCount)

func attributeNames() [attributeCount]string {
	return [...]string{
		"specversion", "id", "source", "type", "subject", "time", "sequence",
		"datacontenttype", "dataschema", "data_base64",
	}
}

func (a attribute) String() string { return attributeNames()[a] }

// attributeNamed is the attribute of that name, -1 for none of them.
func attributeNamed(name string) attribute {
	names := attributeNames()
	return attribute(slices.Index(names[:], name))
}

// event checks steps 3 to 5 of Parser, in that order.
func (c *checker) event(raw *rawEvent) schemas.Event {
	e := c.attributes(raw)
	c.others(raw.others)
	if !c.ok() {
		return e
	}
	c.within = "data."
	c.data(&e, raw)
	if !c.ok() {
		return e
	}
	c.joins(&e, raw)
	return e
}

func (c *checker) attributes(raw *rawEvent) (e schemas.Event) {
	a := &raw.attributes
	if v := a[attrSpecVersion]; c.present(attrSpecVersion, v, true, `"`, "a string") && string(v.text) != "1.0" {
		c.refuse(RejectBadSpecVersion, attrSpecVersion, show(v)+` is not "1.0"`)
	}
	e.ID = c.text(attrID, a[attrID])
	e.Source = c.text(attrSource, a[attrSource])
	if v := a[attrType]; c.present(attrType, v, true, `"`, "a string") {
		e.Type = schemas.Type(v.text)
		if typeNamed(e.Type).family == noFamily {
			c.refuse(RejectUnknownType, attrType, show(v)+" is not a type of event")
		}
	}
	e.ResourceID = c.text(attrSubject, a[attrSubject])
	e.Time = c.time(attrTime, a[attrTime], true)
	e.Sequence = c.sequence(a[attrSequence])
	if v := a[attrDataContentType]; c.present(attrDataContentType, v, false, `"`, "a string") && !isJSONType(string(v.text)) {
		c.refuse(RejectBadDataContentType, attrDataContentType, show(v)+" is not a JSON type")
	}
	if v := a[attrDataSchema]; c.present(attrDataSchema, v, false, `"`, "a string") {
		if len(v.text) == 0 {
			c.refuse(RejectEmptyText, attrDataSchema, "is empty")
		}
		c.clean(attrDataSchema, v)
	}
	return e
}

// sequence reads digits, as a string or as a number, below 2^63.
func (c *checker) sequence(v rawValue) int64 {
	if !c.present(attrSequence, v, false, `0"`, "digits") {
		return 0
	}
	digits, rest := cutDigits(string(v.text))
	n, err := strconv.ParseInt(digits, 10, 64)
	if rest != "" || err != nil {
		c.refuse(RejectBadSequence, attrSequence, show(v)+" is not digits of a number below 2^63")
		return 0
	}
	return n
}

// attributeName is the name of an attribute that has no rules of its own.
type attributeName string

func (n attributeName) String() string { return cut(string(n)) }

// others checks the attributes that are kept with the raw bytes and not used:
// names first, then the values of those that are not null.
func (c *checker) others(others []rawMember) {
	for _, m := range others {
		if !isAttributeName(m.name) {
			c.refuse(RejectBadAttributeName, attributeName(m.name), "CloudEvents allows no such name")
		}
	}
	for _, m := range others {
		name := attributeName(m.name)
		if m.value.kind == 'n' {
			continue
		}
		if !c.present(name, m.value, true, `"0tf`, "a string, a boolean or a whole number") {
			return
		}
		if m.value.kind == '"' {
			c.clean(name, m.value)
		}
		if m.value.kind == '0' && !isInt32(string(m.value.text)) {
			c.refuse(RejectBadAttributeNumber, name, show(m.value)+" is not a whole number of 32 bits")
		}
	}
}

// isAttributeName tells whether CloudEvents allows the name: letters and digits,
// and not data, which a binary event could name in a header.
func isAttributeName(s string) bool {
	for i := range len(s) {
		if (s[i] < 'a' || s[i] > 'z') && (s[i] < '0' || s[i] > '9') {
			return false
		}
	}
	return s != "" && s != "data"
}

func isInt32(s string) bool {
	_, err := strconv.ParseInt(s, 10, 32)
	return err == nil
}

// data reads the fields of data: step 4.
func (c *checker) data(e *schemas.Event, raw *rawEvent) {
	t := typeNamed(e.Type)
	c.within = ""
	c.unpack(raw)
	if !c.present(attributeName("data"), raw.data.rawValue, true, "{", "an object") {
		return
	}
	c.within = "data."
	c.noUnknown(&raw.data, t.required|t.optional)
	f := &raw.data.fields
	e.AccountID = c.text(fieldAccountID, f[fieldAccountID])
	c.payload(e, raw, t)
}

// unpack reads what data_base64 holds as the data.
func (c *checker) unpack(raw *rawEvent) {
	v := raw.attributes[attrDataBase64]
	if !c.present(attrDataBase64, v, false, `"`, "a string") {
		return
	}
	if raw.data.kind != 0 {
		c.refuse(RejectDataTwice, attrDataBase64, "stands beside data")
		return
	}
	data, ok := appendBase64(nil, v.text)
	if !ok {
		c.refuse(RejectBadDataBase64, attrDataBase64, show(v)+" is not base64 with padding")
		return
	}
	if r := raw.readDataAlone(data); r != nil {
		c.refuse(r.Reason, attrDataBase64, r.Detail)
	}
}

// joins checks the rules between fields: step 5.
func (c *checker) joins(e *schemas.Event, raw *rawEvent) {
	t := typeNamed(e.Type)
	if t.ofAccount {
		if e.ResourceID != e.AccountID {
			c.refuse(RejectSubjectMismatch, fieldAccountID, quote(e.AccountID)+" is not the subject "+quote(e.ResourceID))
		}
		e.ResourceID = ""
	}
	switch wrong := t.joins(e); {
	case wrong.reason == "":
	case raw.data.fields[wrong.field].kind == 0:
		c.refuse(wrong.reason, wrong.field, wrong.problem)
	default:
		c.refuse(wrong.reason, wrong.field, show(raw.data.fields[wrong.field])+" "+wrong.problem)
	}
}
