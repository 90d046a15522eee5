package codec

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/shopspring/decimal"

	"github.com/reckon-billing/reckon/schemas"
)

// checker turns raw values into what they mean. The first thing that is wrong
// sticks: after it every method gives a zero value and changes nothing, so that
// a caller reads as the list of its fields.
type checker struct {
	currency  schemas.Currency
	rejection *schemas.Rejection
	// within is put before the names of fields: "data.".
	within string
	// index is that of the item being read, -1 for none.
	index int
}

func (c *checker) ok() bool { return c.rejection == nil }

// refuse notes what is wrong with a field.
func (c *checker) refuse(reason string, name fmt.Stringer, problem string) {
	c.refuseAt(reason, name.String(), problem)
}

func (c *checker) refuseAt(reason, name, problem string) {
	if !c.ok() {
		return
	}
	path := c.within + name
	if c.index >= 0 {
		path = strings.TrimSuffix(fmt.Sprintf("data.items[%d].%s", c.index, name), ".")
	}
	c.rejection = &schemas.Rejection{Reason: reason, Detail: path + ": " + problem}
}

// present tells whether a value that must be of one of two kinds is there and
// is; a needed one that is left out is refused.
func (c *checker) present(name fmt.Stringer, v rawValue, needed bool, kinds, what string) bool {
	switch {
	case !c.ok():
	case v.kind == 0 && needed:
		c.refuse(RejectMissingField, name, "is missing")
	case v.kind == 0:
	case v.kind == 'n':
		c.refuse(RejectNull, name, "is null")
	case strings.IndexByte(kinds, byte(v.kind)) < 0:
		c.refuse(RejectWrongType, name, show(v)+" is not "+what)
	default:
		return true
	}
	return false
}

// text reads a text that must be there, of 1 to 256 bytes.
func (c *checker) text(name fmt.Stringer, v rawValue) string {
	if !c.present(name, v, true, `"`, "a string") {
		return ""
	}
	switch {
	case len(v.text) == 0:
		c.refuse(RejectEmptyText, name, "is empty")
	case len(v.text) > maxTextBytes:
		c.refuse(RejectTextTooLong, name, fmt.Sprintf("%s has %d bytes, more than %d", show(v), len(v.text), maxTextBytes))
	default:
		return c.clean(name, v)
	}
	return ""
}

// clean reads a string of which nothing is hidden.
func (c *checker) clean(name fmt.Stringer, v rawValue) string {
	s := string(v.text)
	switch {
	case !utf8.ValidString(s):
		c.refuse(RejectInvalidUTF8, name, show(v)+" is not valid UTF-8")
	case isHidden(s):
		c.refuse(RejectControlCharacter, name, show(v)+" holds a control character")
	default:
		return s
	}
	return ""
}

// isHidden tells whether a text holds what a reader does not see: a control
// character, or one that turns the direction of writing, so that 12 reads as 21.
func isHidden(s string) bool { return hasControl(s) || hasTurn(s) }

// hasTurn tells whether a text holds a character that turns the direction of
// writing: an embedding, override or isolate, or the end of one.
func hasTurn(s string) bool {
	for i := strings.IndexByte(s, 0xE2); i >= 0; {
		// In UTF-8 U+202A to U+202E are E2 80 AA to AE, U+2066 to U+2069 E2 81 A6 to A9.
		if s = s[i+1:]; len(s) > 1 && ((s[0] == 0x80 && s[1] >= 0xAA && s[1] <= 0xAE) || (s[0] == 0x81 && s[1] >= 0xA6 && s[1] <= 0xA9)) {
			return true
		}
		i = strings.IndexByte(s, 0xE2)
	}
	return false
}

// hasControl tells whether a text holds a control character: C0, DEL or C1.
func hasControl(s string) bool {
	for i := range len(s) {
		// In UTF-8 the C1 controls, U+0080 to U+009F, are C2 80 to C2 9F.
		if b := s[i]; b < ' ' || b == 0x7F || (b == 0xC2 && i+1 < len(s) && s[i+1] < 0xA0) {
			return true
		}
	}
	return false
}

// number reads a number, given as one or as a string that holds one; a left-out
// one that is not needed is 0.
func (c *checker) number(name fmt.Stringer, v rawValue, needed bool, decimals int) decimal.Decimal {
	if !c.present(name, v, needed, `0"`, "a number") {
		return decimal.Decimal{}
	}
	d, reason := parseDecimal(string(v.text), decimals)
	if reason != "" {
		c.refuse(reason, name, show(v)+" "+numberProblem(reason, decimals))
	}
	return d
}

func numberProblem(reason string, decimals int) string {
	switch reason {
	case RejectNegativeZero, RejectNegativeNumber:
		return "has a minus sign"
	case RejectExponentTooLarge:
		return "has an exponent beyond 30"
	case RejectTooManyDigits:
		return "has more than 20 integer digits"
	case RejectTooManyDecimals:
		return "has more than " + strconv.Itoa(decimals) + " decimals"
	default:
		return "is not a number as JSON writes it"
	}
}

func (c *checker) percent(name fmt.Stringer, v rawValue) decimal.Decimal {
	d := c.number(name, v, false, maxPercentDecimals)
	if c.ok() && d.GreaterThan(hundred()) {
		c.refuse(RejectPercentTooLarge, name, show(v)+" is above 100")
	}
	return d
}

func hundred() decimal.Decimal { return decimal.New(100, 0) }

func (c *checker) time(name fmt.Stringer, v rawValue, needed bool) time.Time {
	if !c.present(name, v, needed, `"`, "a string") {
		return time.Time{}
	}
	t, reason := parseTime(string(v.text))
	if reason != "" {
		c.refuse(reason, name, show(v)+" "+timeProblem(reason))
	}
	return t
}

// word reads one of a few words.
func (c *checker) word(name fmt.Stringer, v rawValue, needed bool, words ...string) string {
	if !c.present(name, v, needed, `"`, "a string") {
		return ""
	}
	for _, w := range words {
		if string(v.text) == w {
			return w
		}
	}
	c.refuse(RejectUnknownValue, name, show(v)+" is none of "+strings.Join(words, ", "))
	return ""
}

// noUnknown refuses a field that the object must not have, the first in the
// order of the text if no object has it.
func (c *checker) noUnknown(o *rawObject, known fieldSet) {
	if o.unknown != nil {
		c.refuseAt(RejectUnknownField, cut(*o.unknown), "there is no such field")
	}
	for f := range fieldCount {
		if o.fields[f].kind != 0 && !known.has(f) {
			c.refuse(RejectUnknownField, f, "there is no such field here")
		}
	}
}

// maxShown bounds the bytes of a value that a detail shows.
const maxShown = 64

// show is a value as a detail shows it: short, printable, valid UTF-8.
func show(v rawValue) string {
	switch v.kind {
	case '{':
		return "an object"
	case '[':
		return "a list"
	case '"':
		return quote(string(v.text))
	default:
		return cut(string(v.text))
	}
}

func quote(s string) string {
	if len(s) <= maxShown {
		return strconv.Quote(s)
	}
	return strconv.Quote(s[:runeStart(s)]) + "…"
}

// cut is quote without the quotes.
func cut(s string) string {
	q := strings.TrimSuffix(quote(s), "…")
	q = q[1 : len(q)-1]
	if len(s) > maxShown {
		q += "…"
	}
	return q
}

// runeStart is where the last whole character of the first maxShown bytes ends.
func runeStart(s string) int {
	i := maxShown
	for i > maxShown-utf8.UTFMax && !utf8.RuneStart(s[i]) {
		i--
	}
	return i
}
