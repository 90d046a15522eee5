package codec

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/shopspring/decimal"

	"github.com/reckon-billing/reckon/schemas"
)

// AppendData appends the event's data in canonical form: JSON without spaces,
// keys in the order of the family's file, defaults filled in, left-out optional fields
// left out, numbers as strings that hold plain decimals without trailing zeros,
// times in UTC with milliseconds. Two events have the same data by contract 2
// exactly when these bytes are equal.
//
// The store keeps it for lifecycle events. A usage event is stored in columns
// (item, value) with empty data; its canonical data is only for Content.
func AppendData(b []byte, e *schemas.Event) []byte {
	b = appendText(append(b, `{"account_id":`...), e.AccountID)
	return append(appendPayload(b, e, typeNamed(e.Type)), '}')
}

// appendText quotes a text: it holds no control characters, so that only the
// quote and the backslash need an escape.
func appendText(b []byte, s string) []byte {
	b = append(b, '"')
	if strings.IndexByte(s, '"') < 0 && strings.IndexByte(s, '\\') < 0 {
		return append(append(b, s...), '"')
	}
	for i := range len(s) {
		if s[i] == '"' || s[i] == '\\' {
			b = append(b, '\\')
		}
		b = append(b, s[i])
	}
	return append(b, '"')
}

func appendNumber(b []byte, d decimal.Decimal) []byte {
	return append(schemas.AppendDecimal(append(b, '"'), d), '"')
}

// Content is the digest of what two copies of one identity must have in common
// to be duplicates: type, subject, time in milliseconds, sequence and canonical
// data. Copies whose Content differs are in conflict (contract 2).
func Content(e *schemas.Event) schemas.Hash {
	b := make([]byte, 0, 1024)
	for _, part := range [...]string{string(e.Type), e.ResourceID} {
		b = binary.BigEndian.AppendUint32(b, uint32(len(part))) //nolint:gosec // at most 256 bytes
		b = append(b, part...)
	}
	b = binary.BigEndian.AppendUint64(b, uint64(e.Time.UnixMilli())) // its bits, not its value
	b = binary.BigEndian.AppendUint64(b, uint64(e.Sequence))         //nolint:gosec // never negative
	sum := sha256.Sum256(AppendData(b, e))
	return schemas.Hash(sum[:16])
}

// errNotCanonical is what a stored row is that AppendData did not write.
var errNotCanonical = errors.New("not canonical data")

// SetData restores the fields of data from what AppendData wrote for the store.
// Type, AccountID and Time must be set, and all fields of a lifecycle event's
// data are written over. A usage event's Item and Value have columns of their
// own: its data must be empty, and the event stays as it is.
//
// It takes exactly the bytes that AppendData writes for some valid event and
// nothing else, so that a damaged row is an error, never another value; the
// event is then left as it was. Only that a coupon's value is in whole minor
// units it cannot know. The texts of the event share the memory of data.
func SetData(e *schemas.Event, data string) error {
	if e.Type == schemas.UsageRecorded {
		if data != "" {
			return fmt.Errorf("usage event with data %s: %w", quote(data), errNotCanonical)
		}
		return nil
	}
	x := schemas.Event{
		Source: e.Source, ID: e.ID, Type: e.Type, AccountID: e.AccountID,
		ResourceID: e.ResourceID, Time: e.Time, Sequence: e.Sequence,
	}
	r := canonicalReader{rest: data}
	r.event(&x, typeNamed(e.Type))
	if r.bad || r.rest != "" {
		return fmt.Errorf("%s of account %s at byte %d of %s: %w",
			e.Type, quote(e.AccountID), len(data)-len(r.rest), quote(data), errNotCanonical)
	}
	*e = x
	return nil
}

// canonicalReader reads canonical data from its beginning. Once it is bad it
// stays so.
type canonicalReader struct {
	rest string
	bad  bool
}

func (r *canonicalReader) event(e *schemas.Event, t *eventType) {
	r.bad = t.family == noFamily
	r.must(`{"account_id":`)
	r.check(r.text() == e.AccountID)
	r.payload(e, t)
	r.check(t.joins(e).reason == "")
	r.must("}")
}

// field tells whether a field comes next, which it must if it is required.
func (r *canonicalReader) field(t *eventType, f field, key string) bool {
	if t.required.has(f) {
		r.must(key)
		return true
	}
	return t.optional.has(f) && r.eat(key)
}

func (r *canonicalReader) check(ok bool) { r.bad = r.bad || !ok }

// eat takes what comes next if it is the literal.
func (r *canonicalReader) eat(literal string) bool {
	if r.bad || !strings.HasPrefix(r.rest, literal) {
		return false
	}
	r.rest = r.rest[len(literal):]
	return true
}

func (r *canonicalReader) must(literal string) { r.check(r.eat(literal)) }

// quoted takes what stands between two quotes; escapes tells whether a quote or
// a backslash in it was escaped.
func (r *canonicalReader) quoted() (s string, escapes bool) {
	if r.must(`"`); r.bad {
		return "", false
	}
	for i := 0; i < len(r.rest); i++ {
		switch r.rest[i] {
		case '"':
			s, r.rest = r.rest[:i], r.rest[i+1:]
			return s, escapes
		case '\\':
			escapes = true
			i++
			r.check(i < len(r.rest) && (r.rest[i] == '"' || r.rest[i] == '\\'))
		}
	}
	r.bad = true
	return "", false
}

func (r *canonicalReader) text() string {
	s, escapes := r.quoted()
	if escapes {
		s = unescape(s)
	}
	// Turns of the direction of writing were taken once, and are in stored rows.
	r.check(s != "" && len(s) <= maxTextBytes && !hasControl(s) && utf8.ValidString(s))
	return s
}

// unescape drops the backslash before each escaped quote and backslash.
func unescape(s string) string {
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) {
			i++
		}
		b = append(b, s[i])
	}
	return string(b)
}

// number takes a plain decimal as FormatDecimal writes it.
func (r *canonicalReader) number(decimals int) decimal.Decimal {
	s, _ := r.quoted()
	d, reason := parseDecimal(s, decimals)
	r.check(reason == "" && strings.IndexByte(s, 'e') < 0 && strings.IndexByte(s, 'E') < 0)
	r.check(strings.IndexByte(s, '.') < 0 || s[len(s)-1] != '0')
	return d
}

func (r *canonicalReader) percent() decimal.Decimal {
	d := r.number(maxPercentDecimals)
	r.check(!d.GreaterThan(hundred()))
	return d
}

func (r *canonicalReader) time() time.Time {
	s, _ := r.quoted()
	t, reason := parseTime(s)
	r.check(reason == "" && len(s) == len(canonicalTime) && s[10] == 'T' && s[len(s)-1] == 'Z')
	return t
}
