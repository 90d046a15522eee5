package codec

import (
	"github.com/reckon-billing/reckon/schemas"
	"time"
)

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

// canonicalTime is how a time stands in canonical data: UTC, milliseconds.
const canonicalTime = "2006-01-02T15:04:05.000Z"
