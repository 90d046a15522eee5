package codec

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/reckon-billing/reckon/schemas"

	"pgregory.net/rapid"
)

// bothValues reads a text as a number, as a time and as a sequence with the fast
// and the strict readers; where the fast one gives up it must be asked again.
func bothValues(t reporter, p *FastParser, text string) {
	t.Helper()
	for _, decimals := range []int{maxDecimals, maxPercentDecimals} {
		want, reason := parseDecimal(text, decimals)
		got, ok := p.decimal([]byte(text), decimals)
		if ok != (reason == "") || (ok && !reflect.DeepEqual(got, want)) {
			t.Fatalf("%q with %d decimals: %v %v, want %v %s", text, decimals, got, ok, want, reason)
		}
	}
	want, reason := parseTime(text)
	got, ok := fastTime([]byte(text))
	if ok != (reason == "") || (ok && got != want) {
		t.Fatalf("%q: %v %v, want %v %s", text, got, ok, want, reason)
	}
	c := checker{index: -1}
	sequence := c.sequence(rawValue{'"', []byte(text)})
	if n, ok := fastSequence([]byte(text)); ok && (n != sequence || !c.ok()) {
		t.Fatalf("%q: %d, want %d %v", text, n, sequence, c.rejection)
	}
}

func TestEveryShortTextIsTheSameNumberToBothParsers(t *testing.T) {
	const letters = "0159.-+eE "
	p := newFast()
	texts := []string{""}
	for range 5 {
		longer := make([]string, 0, len(texts)*len(letters))
		for _, text := range texts {
			bothValues(t, p, text)
			for _, c := range []byte(letters) {
				longer = append(longer, text+string(c))
			}
		}
		texts = longer
	}
}

func TestLongNumbersAreTheSameToBothParsers(t *testing.T) {
	p := newFast()
	for whole := range 24 {
		for fraction := range 24 {
			for _, digit := range []string{"0", "1", "9"} {
				for _, tail := range []string{"", "0", "5", "000"} {
					text := strings.Repeat(digit, whole) + "." + strings.Repeat("0", fraction) + tail
					bothValues(t, p, text)
					bothValues(t, p, strings.TrimSuffix(text, "."))
					bothValues(t, p, "1"+text)
				}
			}
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		bothValues(t, p, rapid.StringMatching(`-?[0-9]{0,22}(\.[0-9]{0,22})?([eE][-+]?[0-9]{1,3})?`).Draw(t, "text"))
	})
}

func TestEveryDayIsTheSameToBothParsers(t *testing.T) {
	p := newFast()
	clocks := []string{"T00:00:00Z", "T23:59:59.999Z", "T06:59:59.9999+07:00", "T20:30:00-03:30", "T12:00:00.5+23:59"}
	for year := 1998; year <= 2201; year++ {
		for month := range 14 {
			for day := range 33 {
				text := fmt.Sprintf("%04d-%02d-%02d%s", year, month, day, clocks[(day+month)%len(clocks)])
				bothValues(t, p, text)
			}
		}
	}
}

func TestEveryTimeOfDayIsTheSameToBothParsers(t *testing.T) {
	p := newFast()
	for n := range 100 {
		for _, form := range []string{
			"2026-10-01T%02d:00:00Z", "2026-10-01T10:%02d:00Z", "2026-10-01T10:20:%02dZ", "2026-10-01T10:20:30+%02d:30",
			"2026-10-01T10:20:30-%02d:30", "2026-10-01T10:20:30-07:%02d", "2026-10-01T10:20:30.%02dZ", "%02d99-12-31T23:59:59Z",
		} {
			bothValues(t, p, fmt.Sprintf(form, n))
		}
	}
	for digits := range 14 {
		for _, zone := range []string{"Z", "z", "+07:00", "", "Zx"} {
			bothValues(t, p, "2026-10-01T10:20:30."+"12345678901234"[:digits]+zone)
		}
	}
}

func TestATimeWithAnyOtherByteIsTheSameToBothParsers(t *testing.T) {
	p := newFast()
	for _, text := range []string{"2026-10-01T10:20:30Z", "2000-02-29T10:20:30.123Z", "2199-12-31T23:59:59.123456-07:00"} {
		for i := range len(text) {
			bothValues(t, p, text[:i])
			for c := range 256 {
				b := []byte(text)
				b[i] = byte(c)
				bothValues(t, p, string(b))
				bothValues(t, p, string(slices.Insert([]byte(text), i, byte(c))))
			}
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		at := time.UnixMilli(rapid.Int64Range(firstMilli-1e8, beyondMilli+1e8).Draw(t, "at"))
		zone := time.FixedZone("", 60*rapid.IntRange(-23*60, 23*60).Draw(t, "zone"))
		form := rapid.SampledFrom([]string{time.RFC3339, time.RFC3339Nano, "2006-01-02T15:04:05.000Z07:00"}).Draw(t, "form")
		bothValues(t, p, at.In(zone).Format(form))
	})
}

func TestEightBytesAtOnceFindWhatOneByOneFinds(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	// Neighbours at which a borrow or a carry could go wrong, and plain ones.
	neighbours := []byte{' ', '!', '#', '[', ']', '~', 'x', 0x00, 0x1F, 0x7F, 0x80, 0xFF, '"', '\\'}
	for c := range 256 {
		for i := range 20 {
			for range 20 {
				b := make([]byte, 20)
				for j := range b {
					if b[j] = 'x'; random.IntN(3) == 0 {
						b[j] = neighbours[random.IntN(len(neighbours))]
					}
				}
				b[i] = byte(c)
				from := random.IntN(4)
				isQuote := func(c byte) bool { return c == '"' }
				isOdd := func(c byte) bool { return c < ' ' || c > '~' || c == '"' || c == '\\' }
				if got, want := quoteFrom(b, from), firstFrom(b, from, isQuote); got != want {
					t.Fatalf("%q from %d: a quote at %d, want %d", b, from, got, want)
				}
				if got, want := plainFrom(b, from), firstFrom(b, from, isOdd); got != want {
					t.Fatalf("%q from %d: plain to %d, want %d", b, from, got, want)
				}
			}
		}
	}
}

func firstFrom(b []byte, from int, is func(byte) bool) int {
	if i := slices.IndexFunc(b[from:], is); i >= 0 {
		return from + i
	}
	return len(b)
}

func TestTheFastNamesAreTheNames(t *testing.T) {
	for _, name := range slices.Concat(attributeNamesList(), fieldNamesList()) {
		for _, text := range []string{name, strings.ToUpper(name), name + "x", name[1:], "x" + name, name[:len(name)-1], ""} {
			if got, want := fastAttribute(text), attributeNamed(text); got != want {
				t.Errorf("%s: attribute %d, want %d", text, got, want)
			}
			if got, want := fastField(text), fieldNamed(text); got != want {
				t.Errorf("%s: field %d, want %d", text, got, want)
			}
		}
	}
}

func attributeNamesList() []string { names := attributeNames(); return names[:] }

func fieldNamesList() []string { return known.names[:] }

// FuzzFastValues throws any text at the readers of numbers, times and sequences.
func FuzzFastValues(f *testing.F) {
	for _, c := range numberCases() {
		f.Add(c.text)
	}
	for _, c := range timeCases() {
		f.Add(c.text)
	}
	p := newFast()
	f.Fuzz(func(t *testing.T, text string) { bothValues(t, p, text) })
}

// fastField is what the fast parser takes a name for, wherever it stands.
func fastField(name string) field {
	if name == "account_id" {
		return fieldAccountID // dataField compares it
	}
	p := newFast()
	for _, read := range []func() (field, bool){
		func() (field, bool) { return p.lifecycle(&schemas.Lifecycle{}, []byte(name)) },
		func() (field, bool) { return p.usage(&schemas.Usage{}, []byte(name)) },
		func() (field, bool) { return p.itemField(&schemas.Item{}, []byte(name)) },
		func() (field, bool) { return p.couponField(&schemas.Coupon{}, []byte(name)) },
	} {
		if f, _ := read(); f != noField {
			return f
		}
	}
	return noField
}
