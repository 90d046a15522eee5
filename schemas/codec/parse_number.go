package codec

import (
	"math/big"
	"strings"

	"github.com/shopspring/decimal"
)

// number is a number as it is written in JSON, cut into its parts.
type number struct {
	minus           bool
	whole, fraction string
	// exponent is the written one, capped: beyond 30 it only says so.
	exponent int
}

// cutNumber takes a text apart; ok is false when it is not exactly a number as
// JSON writes it.
func cutNumber(s string) (n number, ok bool) {
	n.minus = strings.HasPrefix(s, "-")
	s = strings.TrimPrefix(s, "-")
	n.whole, s = cutDigits(s)
	if n.whole == "" || (len(n.whole) > 1 && n.whole[0] == '0') {
		return n, false
	}
	if strings.HasPrefix(s, ".") {
		if n.fraction, s = cutDigits(s[1:]); n.fraction == "" {
			return n, false
		}
	}
	if s == "" {
		return n, true
	}
	if s[0] != 'e' && s[0] != 'E' {
		return n, false
	}
	return n, n.cutExponent(s[1:])
}

func (n *number) cutExponent(s string) bool {
	sign := 1
	if s != "" && (s[0] == '+' || s[0] == '-') {
		if s[0] == '-' {
			sign = -1
		}
		s = s[1:]
	}
	digits, rest := cutDigits(s)
	if digits == "" || rest != "" {
		return false
	}
	for i := 0; i < len(digits) && n.exponent <= maxWrittenExponent; i++ {
		n.exponent = n.exponent*10 + int(digits[i]-'0')
	}
	n.exponent *= sign
	return true
}

func cutDigits(s string) (digits, rest string) {
	i := 0
	for i < len(s) && s[i] >= '0' && s[i] <= '9' {
		i++
	}
	return s[:i], s[i:]
}

// parseDecimal reads a number as JSON writes it exactly, at most so many
// decimals, or says why not (contract 2). Digits count by value: trailing zeros
// of decimals do not, and a written exponent is applied first. The result has no
// trailing zero after the point and an exponent of 0 or less, so equal numbers
// are equal in every field.
//
// The decimal library is handed checked digits only: its own parser takes
// exponents that would fill the memory.
func parseDecimal(s string, decimals int) (d decimal.Decimal, reason string) {
	n, ok := cutNumber(s)
	if !ok {
		return d, RejectNotANumber
	}
	digits := strings.TrimLeft(n.whole, "0") + n.fraction
	if n.whole == "0" {
		digits = strings.TrimLeft(n.fraction, "0")
	}
	significant := strings.TrimRight(digits, "0")
	switch {
	case n.minus && significant == "":
		return d, RejectNegativeZero
	case n.minus:
		return d, RejectNegativeNumber
	case n.exponent > maxWrittenExponent || n.exponent < -maxWrittenExponent:
		return d, RejectExponentTooLarge
	case significant == "":
		return d, ""
	}
	scale := len(n.fraction) - n.exponent - (len(digits) - len(significant))
	switch {
	case len(significant)-scale > maxIntegerDigits:
		return d, RejectTooManyDigits
	case scale > decimals:
		return d, RejectTooManyDecimals
	case scale < 0:
		significant += strings.Repeat("0", -scale)
		scale = 0
	}
	return newDecimal(significant, int32(scale)), "" //nolint:gosec // at most 9
}

// newDecimal makes a decimal of at most 29 digits.
func newDecimal(digits string, scale int32) decimal.Decimal {
	if len(digits) <= 18 {
		var n int64
		for i := range len(digits) {
			n = n*10 + int64(digits[i]-'0')
		}
		return decimal.New(n, -scale)
	}
	n, _ := new(big.Int).SetString(digits, 10)
	return decimal.NewFromBigInt(n, -scale)
}
