package codec

import (
	"bytes"
	"encoding/base64"
	"math/big"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/reckon-billing/reckon/schemas"
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
	return newDecimal(significant, int32(scale)), ""
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

// ParseTime reads an instant as RFC 3339 writes it, with an offset, and gives it
// in UTC, cut to milliseconds. It is strict where Go's own parser is not: every
// part has all its digits, the day is one that the month has, and a second 60,
// a time before 2000-01-01 UTC or one from 2200-01-01 UTC on are refused. The
// same rules hold for an event's time, for expires_at and for a replay's clock
// (contract 2 and 7). The error is a *Rejection.
func ParseTime(text string) (time.Time, error) {
	t, reason := parseTime(text)
	if reason != "" {
		return time.Time{}, &schemas.Rejection{Reason: reason, Detail: quote(text) + " " + timeProblem(reason)}
	}
	return t, nil
}

func timeProblem(reason string) string {
	switch reason {
	case RejectLeapSecond:
		return "has a second 60"
	case RejectNoSuchDay:
		return "names a day that its month does not have"
	case RejectTimeOutOfRange:
		return "is not from 2000-01-01 UTC to before 2200-01-01 UTC"
	default:
		return "is not a time as in 2026-10-01T00:00:00+07:00"
	}
}

// parseTime reads "2026-10-01T10:20:30.123+07:00".
func parseTime(s string) (t time.Time, reason string) {
	const date = len("2026-10-01T10:20:30")
	if len(s) <= date || s[4] != '-' || s[7] != '-' || (s[10] != 'T' && s[10] != 't') || s[13] != ':' || s[16] != ':' {
		return t, RejectBadTime
	}
	year, month, day := digitPair(s[0:])*100+digitPair(s[2:]), digitPair(s[5:]), digitPair(s[8:])
	hour, minute, second := digitPair(s[11:]), digitPair(s[14:]), digitPair(s[17:])
	if digitPair(s[0:]) < 0 || digitPair(s[2:]) < 0 || month < 1 || month > 12 || day < 1 || day > 31 ||
		hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60 {
		return t, RejectBadTime
	}
	millis, rest, ok := cutFraction(s[date:])
	if !ok {
		return t, RejectBadTime
	}
	offset, ok := parseOffset(rest)
	switch {
	case !ok:
		return t, RejectBadTime
	case second == 60:
		return t, RejectLeapSecond
	}
	t = time.Date(year, time.Month(month), day, hour, minute, second, millis*int(time.Millisecond), time.UTC)
	if t.Day() != day {
		return time.Time{}, RejectNoSuchDay
	}
	t = t.Add(-offset)
	if t.Year() < 2000 || t.Year() >= 2200 {
		return time.Time{}, RejectTimeOutOfRange
	}
	return t, ""
}

// digitPair is the number that two digits write, or some negative number.
func digitPair(s string) int {
	if s[0] < '0' || s[0] > '9' || s[1] < '0' || s[1] > '9' {
		return -1_000_000
	}
	return int(s[0]-'0')*10 + int(s[1]-'0')
}

// cutFraction reads what may follow the seconds: a point and digits, of which
// those beyond milliseconds are cut, not rounded (A9).
func cutFraction(s string) (millis int, rest string, ok bool) {
	if s[0] != '.' {
		return 0, s, true
	}
	digits, rest := cutDigits(s[1:])
	for i := range 3 {
		millis *= 10
		if i < len(digits) {
			millis += int(digits[i] - '0')
		}
	}
	return millis, rest, digits != ""
}

func parseOffset(s string) (offset time.Duration, ok bool) {
	if s == "Z" || s == "z" {
		return 0, true
	}
	if len(s) != len("+07:00") || s[3] != ':' || (s[0] != '+' && s[0] != '-') {
		return 0, false
	}
	hours, minutes := digitPair(s[1:]), digitPair(s[4:])
	if hours < 0 || hours > 23 || minutes < 0 || minutes > 59 {
		return 0, false
	}
	offset = time.Duration(hours)*time.Hour + time.Duration(minutes)*time.Minute
	if s[0] == '-' {
		return -offset, true
	}
	return offset, true
}

// appendBase64 appends what a text in base64 holds; ok is false when it is not base64
// as RFC 4648, section 4, writes it: padded, no line breaks, no bit to spare.
func appendBase64(dst, text []byte) (data []byte, ok bool) {
	if bytes.ContainsAny(text, "\r\n") { // which the decoder passes over
		return dst, false
	}
	data, err := base64.StdEncoding.Strict().AppendDecode(dst, text)
	return data, err == nil
}

// canonicalTime is how a time stands in canonical data: UTC, milliseconds.
const canonicalTime = "2006-01-02T15:04:05.000Z"
