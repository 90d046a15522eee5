package codec

import (
	"hash/maphash"
	"math"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/reckon-billing/reckon/schemas"
)

// textBlock keeps many short texts together, in blocks that are allocated once.
type textBlock struct{ block *strings.Builder }

const textBlockBytes = 16 << 10

// keep copies a text.
func (t *textBlock) keep(b []byte) string {
	if t.block == nil || t.block.Cap()-t.block.Len() < len(b) {
		t.block = new(strings.Builder)
		t.block.Grow(max(textBlockBytes, len(b)))
	}
	start := t.block.Len()
	t.block.Write(b)
	return t.block.String()[start:]
}

// knownTexts remembers texts of late, each at one place that follows from its
// bytes: sources, items and units come again and again. An LRU (golang-lru) here
// and for decimals would cost a usage event 39 % more.
type knownTexts struct {
	seed  maphash.Seed
	texts [512]string
}

func (k *knownTexts) get(b []byte) string {
	place := &k.texts[maphash.Bytes(k.seed, b)%uint64(len(k.texts))]
	if *place != string(b) {
		*place = string(b)
	}
	return *place
}

// knownDecimals remembers decimals of late, each at one place that follows from
// its number: prices, percents and round values come again and again.
type knownDecimals [256]struct {
	coefficient int64
	scale       int32
	d           decimal.Decimal
}

func (k *knownDecimals) get(coefficient int64, scale int32) decimal.Decimal {
	const golden = 0x9E3779B97F4A7C15
	place := &k[(uint64(coefficient)+uint64(scale)<<60)*golden>>56] //nolint:gosec // its bits, never negative
	if place.coefficient != coefficient || place.scale != scale {
		place.coefficient, place.scale, place.d = coefficient, scale, decimal.New(coefficient, -scale)
	}
	return place.d
}

// decimal is parseDecimal: a number as JSON writes it exactly, in the same
// normal form.
func (p *FastParser) decimal(t []byte, decimals int) (d decimal.Decimal, ok bool) {
	coefficient, scale, ok := schemas.ShortNumber(t)
	switch {
	case !ok:
		d, reason := parseDecimal(string(t), decimals)
		return d, reason == ""
	case coefficient == 0:
		return d, true
	}
	for scale > 0 && coefficient%10 == 0 {
		coefficient /= 10
		scale--
	}
	if scale > decimals {
		return d, false
	}
	return p.decimals.get(coefficient, int32(scale)), true //nolint:gosec // at most 9
}

// fastSequence reads up to 19 digits of a number below 2^63.
func fastSequence(t []byte) (n int64, ok bool) {
	if len(t) == 0 || len(t) > 19 {
		return 0, false
	}
	var u uint64
	for _, c := range t {
		if c-'0' > 9 {
			return 0, false
		}
		u = u*10 + uint64(c-'0')
	}
	return int64(u), u <= math.MaxInt64 // looked at beside it
}

// The instants that parseTime takes, in milliseconds.
const (
	firstMilli  = 946_684_800_000
	beyondMilli = 7_258_118_400_000
)

// fastTime is parseTime.
func fastTime(t []byte) (time.Time, bool) {
	if ms, ok := plainTime(t); ok {
		return time.UnixMilli(ms).UTC(), true
	}
	at, reason := parseTime(string(t))
	return at, reason == ""
}

// plainTime reads a time as it is mostly written, with capitals and not more
// than 9 decimals, in milliseconds from 1970 on.
func plainTime(t []byte) (ms int64, ok bool) {
	const seconds = len("2026-10-01T10:20:30")
	if len(t) <= seconds || t[4] != '-' || t[7] != '-' || t[10] != 'T' || t[13] != ':' || t[16] != ':' {
		return 0, false
	}
	year, month, day := pair(t, 0)*100+pair(t, 2), pair(t, 5), pair(t, 8)
	hour, minute, second := pair(t, 11), pair(t, 14), pair(t, 17)
	if year < 1999 || year > 2200 || month < 1 || month > 12 || day < 1 || day > daysIn(year, month) ||
		hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59 {
		return 0, false
	}
	t = t[seconds:]
	if t[0] == '.' {
		millis, digits := 0, 0
		for digits+1 < len(t) && t[digits+1]-'0' <= 9 {
			if digits++; digits <= 3 {
				millis = millis*10 + int(t[digits]-'0')
			}
		}
		if digits < 3 {
			return 0, false
		}
		ms, t = int64(millis), t[digits+1:]
	}
	switch {
	case len(t) == 1 && t[0] == 'Z':
	case len(t) == len("+07:00") && (t[0] == '+' || t[0] == '-') && t[3] == ':':
		ahead, minutes := pair(t, 1), pair(t, 4)
		if ahead < 0 || ahead > 23 || minutes < 0 || minutes > 59 {
			return 0, false
		}
		if ahead = ahead*60 + minutes; t[0] == '-' {
			ahead = -ahead
		}
		minute -= ahead
	default:
		return 0, false
	}
	ms += 1000 * int64(daysFrom1970(year, month, day)*86_400+hour*3600+minute*60+second)
	return ms, ms >= firstMilli && ms < beyondMilli
}

// pair is the number that two digits write, or some negative number.
func pair(t []byte, i int) int {
	tens, ones := t[i]-'0', t[i+1]-'0'
	if tens > 9 || ones > 9 {
		return -1_000_000
	}
	return int(tens)*10 + int(ones)
}

func daysIn(year, month int) int {
	switch {
	case month != 2:
		// 31 and 30 by turns, and again from August on.
		return 30 + (month+month>>3)&1
	case year%4 == 0 && (year%100 != 0 || year%400 == 0):
		return 29
	default:
		return 28
	}
}

// daysFrom1970 counts days of the Gregorian calendar, with years that begin in
// March, so that a leap day is a year's last.
func daysFrom1970(year, month, day int) int {
	const from0000 = 719_468
	if month -= 3; month < 0 {
		month += 12
		year--
	}
	return year*365 + year/4 - year/100 + year/400 + (153*month+2)/5 + day - 1 - from0000
}
