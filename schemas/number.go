package schemas

import (
	"strconv"
	"strings"

	"github.com/shopspring/decimal"
)

// FormatDecimal writes a decimal plainly, exactly and without trailing zeros:
// "0", "1.5", "1200". Two decimals of equal value are written alike, whatever
// their scale and whatever the decimal library's global switches say.
func FormatDecimal(d decimal.Decimal) string {
	return string(AppendDecimal(make([]byte, 0, 32), d))
}

// ReadDecimal undoes [FormatDecimal]; false for text with an exponent, and for what
// is no number. Zero has no exponent of its own, as in a parsed event.
func ReadDecimal(text string) (decimal.Decimal, bool) {
	if n, scale, ok := ShortNumber(text); ok {
		if n == 0 {
			return decimal.Decimal{}, true
		}
		return decimal.New(n, -int32(scale)), true //nolint:gosec // at most 18
	}
	v, err := decimal.NewFromString(text)
	if err != nil || strings.ContainsAny(text, "eE") {
		return decimal.Decimal{}, false
	}
	return v, true
}

// AppendDecimal appends what [FormatDecimal] writes.
func AppendDecimal(b []byte, d decimal.Decimal) []byte {
	if d.IsZero() {
		return append(b, '0')
	}
	if d.IsNegative() {
		b = append(b, '-')
		d = d.Neg()
	}
	// Most have few digits: those need no copy of the coefficient.
	var room [32]byte
	var digits []byte
	if d.NumDigits() <= 18 {
		digits = strconv.AppendInt(room[:0], d.CoefficientInt64(), 10)
	} else {
		digits = d.Coefficient().Append(room[:0], 10)
	}
	scale := -int(d.Exponent())
	for ; scale > 0 && digits[len(digits)-1] == '0'; scale-- {
		digits = digits[:len(digits)-1]
	}
	whole := len(digits) - scale
	switch {
	case scale <= 0:
		b = append(b, digits...)
		return append(b, strings.Repeat("0", -scale)...)
	case whole <= 0:
		b = append(b, "0."...)
		b = append(b, strings.Repeat("0", -whole)...)
		return append(b, digits...)
	default:
		b = append(b, digits[:whole]...)
		b = append(b, '.')
		return append(b, digits[whole:]...)
	}
}

// ShortNumber reads a number of at most 18 digits without sign and exponent.
func ShortNumber[T string | []byte](t T) (coefficient int64, scale int, ok bool) {
	if len(t) == 0 || len(t) > 19 || (t[0] == '0' && len(t) > 1 && t[1] != '.') {
		return 0, 0, false
	}
	point := len(t) - 1
	for i := range len(t) {
		c := t[i]
		switch {
		case c-'0' <= 9:
			coefficient = coefficient*10 + int64(c-'0')
		case c == '.' && i > 0 && i < len(t)-1 && point == len(t)-1:
			point = i
		default:
			return 0, 0, false
		}
	}
	scale = len(t) - 1 - point
	return coefficient, scale, scale > 0 || len(t) <= 18
}
