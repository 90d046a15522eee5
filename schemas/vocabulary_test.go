package schemas

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestAMonthIsReadAsItIsWritten(t *testing.T) {
	for _, text := range []string{"2000-01", "2026-10", "2199-12"} {
		m, err := ParseMonth(text)
		if err != nil || m.String() != text {
			t.Errorf("%s was read as %s: %v", text, m, err)
		}
	}
	for _, text := range []string{"", "2026", "2026-1", "2026-13", "2026-00", "2026-10-01", " 2026-10", "1999-12", "2200-01", "10-2026"} {
		if m, err := ParseMonth(text); err == nil {
			t.Errorf("%q was read as %s", text, m)
		}
	}
}

func TestABillingMonthBeginsAtMidnightInTheBillingZone(t *testing.T) {
	saigon, err := time.LoadLocation("Asia/Ho_Chi_Minh")
	if err != nil {
		t.Fatal(err)
	}
	october := Month{2026, time.October}
	if got, want := october.Start(saigon), time.Date(2026, 9, 30, 17, 0, 0, 0, time.UTC); !got.Equal(want) || got.Location() != time.UTC {
		t.Errorf("it starts at %v, want %v", got, want)
	}
	if got, want := (Month{2026, time.December}).End(saigon), time.Date(2026, 12, 31, 17, 0, 0, 0, time.UTC); !got.Equal(want) {
		t.Errorf("December ends at %v, want %v", got, want)
	}
	// C1: an evening in UTC is the next month in the billing zone already.
	if got := MonthOf(time.Date(2026, 9, 30, 17, 0, 0, 0, time.UTC), saigon); got != october {
		t.Errorf("its first instant is in %s", got)
	}
}

// C2, C5: a 1st without a 00:00 begins when it begins, one with two at the first of them.
// The changes of the clock are those of tzdata's rules, worked by hand.
func TestAMonthWhoseFirstHasNoMidnightBeginsAtItsFirstInstant(t *testing.T) {
	for _, c := range []struct{ zone, month, start, why string }{
		{"America/Asuncion", "2000-10", "2000-10-01T04:00:00Z", "Sunday, 00:00 at -04 is 01:00"},
		{"America/Asuncion", "2002-09", "2002-09-01T04:00:00Z", "Sunday, 00:00 at -04 is 01:00"},
		{"America/Asuncion", "2017-10", "2017-10-01T04:00:00Z", "Sunday, 00:00 at -04 is 01:00"},
		{"America/Asuncion", "2023-10", "2023-10-01T04:00:00Z", "Sunday, 00:00 at -04 is 01:00"},
		{"America/Asuncion", "2023-11", "2023-11-01T03:00:00Z", "at -03"},
		{"Asia/Damascus", "2005-04", "2005-03-31T22:00:00Z", "00:00 at +02 is 01:00"},
		{"Asia/Damascus", "2011-04", "2011-03-31T22:00:00Z", "Friday, 00:00 at +02 is 01:00"},
		{"Asia/Gaza", "2006-04", "2006-03-31T22:00:00Z", "00:00 at +02 is 01:00"},
		{"America/Havana", "2001-04", "2001-04-01T05:00:00Z", "Sunday, 00:00 at -05 is 01:00"},
		{"America/Havana", "2026-11", "2026-11-01T04:00:00Z", "Sunday, 01:00 at -04 is 00:00 again"},
		{"America/St_Johns", "2009-11", "2009-11-01T02:30:00Z", "Sunday, 00:01 at -02:30 is 23:01 of Saturday again"},
		{"Africa/Cairo", "2024-11", "2024-10-31T22:00:00Z", "Thursday, 24:00 at +03 is 23:00 again"},
		{"Africa/Cairo", "2010-05", "2010-04-30T21:00:00Z", "at +03, of which the Friday before had no 00:00"},
		{"America/Sao_Paulo", "2018-11", "2018-11-01T03:00:00Z", "at -03, three days before a day without 00:00"},
		{"America/Sao_Paulo", "2018-12", "2018-12-01T02:00:00Z", "at -02"},
		{"Asia/Beirut", "2024-04", "2024-03-31T21:00:00Z", "at +03, of which the day before had no 00:00"},
		{"Pacific/Apia", "2012-01", "2011-12-31T10:00:00Z", "at +14, after a year without its 30 December"},
		{"Asia/Ho_Chi_Minh", "2026-10", "2026-09-30T17:00:00Z", "at +07 for ever"},
	} {
		zone, err := time.LoadLocation(c.zone)
		if err != nil {
			t.Fatal(err)
		}
		m, err := ParseMonth(c.month)
		if err != nil {
			t.Fatal(err)
		}
		start := m.Start(zone)
		if got := start.Format(time.RFC3339); got != c.start || start.Location() != time.UTC || !m.Prev().End(zone).Equal(start) {
			t.Errorf("%s in %s (%s) starts at %s, want %s", c.month, c.zone, c.why, got, c.start)
		}
		if before, first := MonthOf(start.Add(-time.Millisecond), zone), MonthOf(start, zone); before != m.Prev() || first != m {
			t.Errorf("%s in %s: its first instant is in %s, the one before in %s", c.month, c.zone, first, before)
		}
	}
}

// zones are those in which months begin oddly, and a few in which they do not.
func zones() []string {
	return []string{
		"Asia/Ho_Chi_Minh", "America/New_York", "Europe/Berlin", "UTC", "Australia/Lord_Howe", "America/Asuncion", "America/Sao_Paulo",
		"Asia/Beirut", "Africa/Cairo", "Asia/Damascus", "Asia/Gaza", "America/Havana", "America/St_Johns", "Pacific/Apia",
		"Pacific/Kiritimati", "America/Scoresbysund", "Atlantic/Azores", "Asia/Amman", "America/Santiago", "Asia/Tehran",
	}
}

// C2, C5: no instant before a month's first shows its date, whatever the zone, and its
// first does.
func TestAMonthBeginsWhenItsDateIsFirstShown(t *testing.T) {
	for _, name := range zones() {
		zone, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		for m := (Month{2000, time.January}); m.Year < 2200; m = m.Next() {
			start := m.Start(zone)
			shown := func(at time.Time) Month {
				year, month, _ := at.In(zone).Date()
				return Month{year, month}
			}
			if shown(start) != m {
				t.Errorf("%s in %s starts at %v, in %s", m, name, start, shown(start))
			}
			for before := time.Millisecond; before <= 26*time.Hour; before += 10 * time.Minute {
				if at := start.Add(-before); shown(at) != m.Prev() {
					t.Fatalf("%s in %s starts at %v, and at %v it is %s", m, name, start, at, shown(at))
				}
			}
		}
	}
}

// C2, C3, C5, C9: months tile the time line in any zone, with summer time or not.
func TestMonthsTileWithoutGapOrOverlap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.SampledFrom(zones()).Draw(t, "zone")
		zone, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		at := time.UnixMilli(rapid.Int64Range(946_684_800_000, 7_258_118_399_999).Draw(t, "at"))
		if rapid.Bool().Draw(t, "near an edge") {
			at = MonthOf(at, zone).Start(zone).Add(time.Duration(rapid.Int64Range(-7_200_000, 7_200_000).Draw(t, "by")) * time.Millisecond)
		}
		m := MonthOf(at, zone)
		if at.Before(m.Start(zone)) || !at.Before(m.End(zone)) {
			t.Fatalf("%v is not in %s, %v to %v", at, m, m.Start(zone), m.End(zone))
		}
		if !m.End(zone).Equal(m.Next().Start(zone)) || m.Next().Prev() != m || !m.Before(m.Next()) || m.Next().Index() != m.Index()+1 {
			t.Fatalf("%s and %s do not follow each other", m, m.Next())
		}
	})
}

// A2, A8: the identity is source and id, not their joined text, and no more.
func TestTheIdentityIsSourceAndID(t *testing.T) {
	// Computed by another program: SHA-256 of the length of the source as 4
	// bytes, source and id; the first half.
	sum := Identity("/hcm", "e-1")
	if got := hex.EncodeToString(sum[:]); got != "248213c933467168ede69e517de17405" {
		t.Errorf("identity %s", got)
	}
	if Identity("ab", "c") == Identity("a", "bc") {
		t.Error("where the source ends does not matter")
	}
}

// F3: a code holds what it is for, and no clock.
func TestInvoiceCodesAreDerivedFromWhatTheyAreFor(t *testing.T) {
	october, start := Month{2026, time.October}, time.Date(2026, 9, 30, 17, 0, 0, 0, time.UTC)
	codes := []string{
		InvoiceCode("a", "bc", october, start),
		InvoiceCode("ab", "c", october, start),
		InvoiceCode("a", "bc", october.Next(), start),
		InvoiceCode("a", "bc", october, start.Add(time.Minute)),
		AdjustmentCode("a", "bc", october, 1),
		AdjustmentCode("a", "bc", october, 2),
		AdjustmentCode("a", "bc", october, start.UnixMilli()),
	}
	form := regexp.MustCompile(`^(INV|ADJ)-2026-1[01]-[0-9A-HJKMNP-TV-Z]{20}$`)
	for i, code := range codes {
		if !form.MatchString(code) || slices.Contains(codes[:i], code) {
			t.Errorf("code %s", code)
		}
	}
	if codes[0] != InvoiceCode("a", "bc", october, start.In(time.FixedZone("", 7*3600))) {
		t.Error("the code depends on the zone in which the start is given")
	}
}

func TestACodeIsTheBeginningOfADigestInBase32(t *testing.T) {
	encoding := base32.NewEncoding(letters).WithPadding(base32.NoPadding)
	rapid.Check(t, func(t *rapid.T) {
		account, resource := rapid.String().Draw(t, "account"), strings.Repeat(rapid.String().Draw(t, "resource"), 20)
		start := time.UnixMilli(rapid.Int64Range(0, 1<<42).Draw(t, "start"))
		month := MonthOf(start, time.UTC)
		h := sha256.New()
		for _, part := range []string{"invoice", account, resource, month.String(), strconv.FormatInt(start.UnixMilli(), 10)} {
			_ = binary.Write(h, binary.BigEndian, int64(len(part)))
			_, _ = io.WriteString(h, part)
		}
		want := "INV-" + month.String() + "-" + encoding.EncodeToString(h.Sum(nil))[:20]
		if got := InvoiceCode(account, resource, month, start); got != want {
			t.Errorf("%s, not %s", got, want)
		}
	})
}

// A10: events have a total order, whatever the order they came in.
func TestEventsAreOrderedByTimeSequenceSourceAndID(t *testing.T) {
	at := time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)
	ordered := []Event{
		{Time: at, Source: "b", ID: "b"},
		{Time: at, Sequence: 1, Source: "Z", ID: "b"},
		{Time: at, Sequence: 1, Source: "a", ID: "B"},
		{Time: at, Sequence: 1, Source: "a", ID: "a"},
		{Time: at, Sequence: 1, Source: "é", ID: "a"},
		{Time: at.Add(time.Millisecond), Source: "a", ID: "a"},
	}
	for i := range ordered {
		for j := range ordered {
			if got := ordered[i].Compare(&ordered[j]); (got < 0) != (i < j) || (got == 0) != (i == j) {
				t.Errorf("%d against %d: %d", i, j, got)
			}
		}
	}
}

func TestARejectionIsAnInvalidEvent(t *testing.T) {
	err := error(&Rejection{"null", "id: is null"})
	if !errors.Is(err, ErrInvalid) || err.Error() != "null: id: is null" {
		t.Errorf("%v", err)
	}
}
