package codec

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/reckon-billing/reckon/schemas"
)

type timeCase struct{ name, text, want, reason string }

// timeCases are times as they may be written, and what they are in UTC.
func timeCases() []timeCase {
	return []timeCase{
		{"UTC", "2026-10-01T00:00:00Z", "2026-10-01T00:00:00.000Z", ""},
		{"an offset", "2026-10-01T00:00:00+07:00", "2026-09-30T17:00:00.000Z", ""},
		{"a negative offset with minutes", "2026-10-01T00:00:00-03:30", "2026-10-01T03:30:00.000Z", ""},
		{"the largest offset", "2026-10-01T23:59:00+23:59", "2026-10-01T00:00:00.000Z", ""},
		{"an unknown local offset", "2026-10-01T00:00:00-00:00", "2026-10-01T00:00:00.000Z", ""},
		{"small letters", "2026-10-01t00:00:00z", "2026-10-01T00:00:00.000Z", ""},
		{"one decimal", "2026-10-01T00:00:00.5Z", "2026-10-01T00:00:00.500Z", ""},
		{"digits beyond milliseconds are cut, not rounded (A9)", "2026-10-01T00:00:00.9999999999999Z", "2026-10-01T00:00:00.999Z", ""},
		{"a leap day", "2028-02-29T12:00:00Z", "2028-02-29T12:00:00.000Z", ""},
		{"a leap day of a century", "2000-02-29T12:00:00Z", "2000-02-29T12:00:00.000Z", ""},
		{"the first instant", "2000-01-01T00:00:00Z", "2000-01-01T00:00:00.000Z", ""},
		{"the first instant, in 1999 where it is written", "1999-12-31T19:00:00-05:00", "2000-01-01T00:00:00.000Z", ""},
		{"the last millisecond", "2199-12-31T23:59:59.9999Z", "2199-12-31T23:59:59.999Z", ""},
		{"the last hour, in 2200 where it is written", "2200-01-01T06:59:00+07:00", "2199-12-31T23:59:00.000Z", ""},
		{"before the first instant", "1999-12-31T23:59:59.999999Z", "", RejectTimeOutOfRange},
		{"before the first instant, in 2000 where it is written", "2000-01-01T06:59:59+07:00", "", RejectTimeOutOfRange},
		{"after the last instant", "2200-01-01T00:00:00Z", "", RejectTimeOutOfRange},
		{"after the last instant, in 2199 where it is written", "2199-12-31T23:59:59-00:01", "", RejectTimeOutOfRange},
		{"the year 0", "0000-01-01T00:00:00Z", "", RejectTimeOutOfRange},
		{"the year 9999", "9999-12-31T23:59:59Z", "", RejectTimeOutOfRange},
		{"a leap second that was", "2016-12-31T23:59:60Z", "", RejectLeapSecond},
		{"February 30", "2026-02-30T00:00:00Z", "", RejectNoSuchDay},
		{"a leap day in another year", "2026-02-29T00:00:00Z", "", RejectNoSuchDay},
		{"a leap day in 2100", "2100-02-29T00:00:00Z", "", RejectNoSuchDay},
		{"April 31", "2026-04-31T00:00:00Z", "", RejectNoSuchDay},
		{"the second 61", "2026-10-01T00:00:61Z", "", RejectBadTime},
		{"the minute 60", "2026-10-01T00:60:00Z", "", RejectBadTime},
		{"the hour 24", "2026-10-01T24:00:00Z", "", RejectBadTime},
		{"the month 13", "2026-13-01T00:00:00Z", "", RejectBadTime},
		{"the month 0", "2026-00-01T00:00:00Z", "", RejectBadTime},
		{"the day 0", "2026-10-00T00:00:00Z", "", RejectBadTime},
		{"the day 32", "2026-10-32T00:00:00Z", "", RejectBadTime},
		{"no offset", "2026-10-01T00:00:00", "", RejectBadTime},
		{"a date alone", "2026-10-01", "", RejectBadTime},
		{"no seconds", "2026-10-01T00:00Z", "", RejectBadTime},
		{"one digit of the hour", "2026-10-01T1:00:00Z", "", RejectBadTime},
		{"one digit of the month", "2026-1-01T00:00:00Z", "", RejectBadTime},
		{"a comma before the decimals", "2026-10-01T00:00:00,5Z", "", RejectBadTime},
		{"a point without decimals", "2026-10-01T00:00:00.Z", "", RejectBadTime},
		{"a space instead of T", "2026-10-01 00:00:00Z", "", RejectBadTime},
		{"an offset without a colon", "2026-10-01T00:00:00+0700", "", RejectBadTime},
		{"an offset of hours only", "2026-10-01T00:00:00+07", "", RejectBadTime},
		{"an offset of 24 hours", "2026-10-01T00:00:00+24:00", "", RejectBadTime},
		{"an offset of 60 minutes", "2026-10-01T00:00:00+07:60", "", RejectBadTime},
		{"an offset with seconds", "2026-10-01T00:00:00+07:00:00", "", RejectBadTime},
		{"a zone's name", "2026-10-01T00:00:00 ICT", "", RejectBadTime},
		{"both Z and an offset", "2026-10-01T00:00:00Z+07:00", "", RejectBadTime},
		{"a space behind", "2026-10-01T00:00:00Z ", "", RejectBadTime},
		{"other digits", "２026-10-01T00:00:00Z", "", RejectBadTime},
		{"a sign before the year", "-026-10-01T00:00:00Z", "", RejectBadTime},
		{"five digits of the year", "12026-10-01T00:00:00Z", "", RejectBadTime},
		{"nothing", "", "", RejectBadTime},
	}
}

func timeEdits() (edits []edit) {
	for _, c := range timeCases() {
		edits = append(edits, edit{c.name, usageEvent, timeField, `"time":"` + c.text + `"`, c.reason})
		if c.reason != "" {
			edits = append(edits, edit{"an end: " + c.name, createdEvent, `"product"`, `"expires_at":"` + c.text + `","product"`, c.reason})
		}
	}
	return edits
}

func TestTimesAreRFC3339WithAnOffsetInMilliseconds(t *testing.T) {
	for _, c := range timeCases() {
		got, err := ParseTime(c.text)
		if reason := rejectedFor(err); reason != c.reason || (reason == "" && got.Format(canonicalTime) != c.want) {
			t.Errorf("%s: %v %v, want %s %s", c.name, got, err, c.want, c.reason)
		}
	}
	for _, c := range timeEdits() {
		if _, got := reasonOf(t, structured(c.value(t))); got != c.reason {
			t.Errorf("%s: %q, want %q", c.name, got, c.reason)
		}
	}
}

func rejectedFor(err error) string {
	if r, ok := err.(*schemas.Rejection); ok { //nolint:errorlint // the type itself is promised
		return r.Reason
	}
	return ""
}

func TestATimeIsTheInstantThatTheStandardLibraryReads(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		zone := time.FixedZone("", 60*rapid.IntRange(-23*60-59, 23*60+59).Draw(t, "offset"))
		nanos := rapid.Int64Range(946684800e9, 7258118400e9-1).Draw(t, "instant")
		text := time.Unix(0, nanos).In(zone).Format(time.RFC3339Nano)
		got, err := ParseTime(text)
		if err != nil || got.UnixMilli() != nanos/1e6 || got.Nanosecond()%1e6 != 0 || got.Location() != time.UTC {
			t.Fatalf("%s was read as %v: %v", text, got, err)
		}
	})
}
