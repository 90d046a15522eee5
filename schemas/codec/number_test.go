package codec

import (
	"math/big"
	"strings"
	"testing"

	"github.com/shopspring/decimal"
	"pgregory.net/rapid"

	"github.com/reckon-billing/reckon/schemas"
)

// numberCases are texts, what they are as a decimal when 9 decimals are
// allowed, and why not.
type numberCase struct{ name, text, want, reason string }

func numberCases() []numberCase {
	zeros := strings.Repeat("0", 5000)
	return []numberCase{
		{"zero", "0", "0", ""},
		{"zero with decimals", "0.000", "0", ""},
		{"zero with an exponent", "0e30", "0", ""},
		{"an integer", "1200", "1200", ""},
		{"decimals", "5.56", "5.56", ""},
		{"trailing zeros do not count", "1.500000000000", "1.5", ""},
		{"thousands of trailing zeros do not count", "1.5" + zeros, "1.5", ""},
		{"nine decimals", "0.000000001", "0.000000001", ""},
		{"ten decimals", "0.0000000001", "", RejectTooManyDecimals},
		{"ten decimals that end in zero", "0.1234567890", "0.123456789", ""},
		{"ten decimals beside integer digits", "1.1234567891", "", RejectTooManyDecimals},
		{"20 integer digits", "99999999999999999999", "99999999999999999999", ""},
		{"20 integer digits and nine decimals", "12345678901234567890.123456789", "12345678901234567890.123456789", ""},
		{"18 digits", "123456789.123456789", "123456789.123456789", ""},
		{"19 digits", "1234567890.123456789", "1234567890.123456789", ""},
		{"21 integer digits", "100000000000000000000", "", RejectTooManyDigits},
		{"21 integer digits by the exponent", "1e20", "", RejectTooManyDigits},
		{"20 integer digits by the exponent", "1e19", "10000000000000000000", ""},
		{"too many digits on both sides", "100000000000000000000.0000000001", "", RejectTooManyDigits},
		{"an exponent that makes decimals whole", "1.23456789012e11", "123456789012", ""},
		{"an exponent that makes a whole number small", "1500E-3", "1.5", ""},
		{"a plus in the exponent", "1.5e+3", "1500", ""},
		{"leading zeros in the exponent", "1.5e+0000003", "1500", ""},
		{"many digits that the exponent takes back", "1" + strings.Repeat("0", 30) + "e-30", "1", ""},
		{"an exponent of 30 on something small", "0.0000000000000000000000001e30", "100000", ""},
		{"an exponent of 31", "0.1e31", "", RejectExponentTooLarge},
		{"an exponent of 31 on zero", "0e31", "", RejectExponentTooLarge},
		{"an exponent of -31", "10e-31", "", RejectExponentTooLarge},
		{"an exponent that would fill the memory", "1e99999999999999999999", "", RejectExponentTooLarge},
		{"an exponent that is 1 in 64 bits", "1e18446744073709551617", "", RejectExponentTooLarge},
		{"nine decimals by the exponent", "1e-9", "0.000000001", ""},
		{"ten decimals by the exponent", "1e-10", "", RejectTooManyDecimals},
		{"below zero", "-1", "", RejectNegativeNumber},
		{"below zero, and too many digits", "-1e25", "", RejectNegativeNumber},
		{"minus zero", "-0", "", RejectNegativeZero},
		{"minus zero with decimals", "-0.00", "", RejectNegativeZero},
	}
}

// wordCases are texts that are no numbers: only strings can hold them.
func wordCases() []string {
	return []string{
		"", " ", " 1", "1 ", "+1", "01", "00", ".5", "5.", "1.e3", "1e", "1e+", "1e1.5", "--1", "-", "1,5", "1_000",
		"0x10", "NaN", "Infinity", "1d", "१", "1e5e5", "1.2.3", "\ufeff1",
	}
}

func numberEdits() (edits []edit) {
	for _, c := range numberCases() {
		edits = append(
			edits,
			edit{"a number: " + c.name, usageEvent, "5.56", c.text, c.reason},
			edit{"a string: " + c.name, usageEvent, "5.56", `"` + c.text + `"`, c.reason},
		)
	}
	for _, s := range wordCases() {
		edits = append(edits, edit{"no number: " + s, usageEvent, "5.56", `"` + s + `"`, RejectNotANumber})
	}
	return edits
}

func TestNumbersAreReadExactlyOrRefused(t *testing.T) {
	for _, c := range numberEdits() {
		if _, got := reasonOf(t, structured(c.value(t))); got != c.reason {
			t.Errorf("%.80s: %q, want %q", c.name, got, c.reason)
		}
	}
	for _, c := range numberCases() {
		d, reason := parseDecimal(c.text, maxDecimals)
		if reason != c.reason || (reason == "" && schemas.FormatDecimal(d) != c.want) {
			t.Errorf("%s: %s %q, want %s %q", c.name, schemas.FormatDecimal(d), reason, c.want, c.reason)
		}
	}
}

func TestAReadNumberIsTheNumberThatWasWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`(0|[1-9][0-9]{0,22})(\.[0-9]{1,12})?([eE][-+]?[0-9]{1,2})?`).Draw(t, "text")
		d, reason := parseDecimal(text, maxDecimals)
		exact, ok := new(big.Rat).SetString(text)
		if !ok {
			t.Fatalf("%s is no number", text)
		}
		if reason == "" {
			if d.Rat().Cmp(exact) != 0 {
				t.Fatalf("%s was read as %s", text, d)
			}
			if d.Exponent() > 0 || d.Exponent() < -maxDecimals {
				t.Fatalf("%s has exponent %d", text, d.Exponent())
			}
			return
		}
		// It was refused with right: one of the four limits is passed.
		scaled := new(big.Rat).Mul(exact, new(big.Rat).SetInt64(1_000_000_000))
		limit := new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(maxIntegerDigits), nil))
		switch reason {
		case RejectTooManyDecimals:
			ok = !scaled.IsInt()
		case RejectTooManyDigits:
			ok = exact.Cmp(limit) >= 0
		case RejectExponentTooLarge:
			_, e, _ := strings.Cut(strings.ToLower(text), "e")
			n, _ := new(big.Int).SetString(e, 10)
			ok = n.CmpAbs(big.NewInt(maxWrittenExponent)) > 0
		default:
			ok = false
		}
		if !ok {
			t.Fatalf("%s was refused as %s", text, reason)
		}
	})
}

func TestADecimalIsWrittenPlainlyAndWithoutTrailingZeros(t *testing.T) {
	for _, c := range []struct {
		d    decimal.Decimal
		want string
	}{
		{decimal.Decimal{}, "0"},
		{decimal.New(0, -5), "0"},
		{decimal.New(0, 5), "0"},
		{decimal.New(150, -2), "1.5"},
		{decimal.New(1500, -2), "15"},
		{decimal.New(15, 3), "15000"},
		{decimal.New(1, -9), "0.000000001"},
		{decimal.New(10, -1), "1"},
		{decimal.New(-150, -2), "-1.5"},
		{decimal.New(-5, -1), "-0.5"},
		{decimal.New(1_000_000_000_000_000, 0), "1000000000000000"},
	} {
		if got := schemas.FormatDecimal(c.d); got != c.want {
			t.Errorf("%s, want %s", got, c.want)
		}
	}
}

func TestEqualDecimalsAreWrittenAlikeAndReadBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := decimal.New(rapid.Int64().Draw(t, "coefficient"), rapid.Int32Range(-20, 20).Draw(t, "exponent"))
		text := schemas.FormatDecimal(d)
		back, err := decimal.NewFromString(text)
		if ours, ok := schemas.ReadDecimal(text); !ok || err != nil || !back.Equal(d) || !ours.Equal(d) {
			t.Fatalf("%s was read back as %s and %s: %v", text, back, ours, err)
		}
		finer := d.Add(decimal.New(1, -30)).Sub(decimal.New(1, -30))
		if schemas.FormatDecimal(finer) != text || strings.ContainsAny(text, "eE") || (strings.Contains(text, ".") && strings.HasSuffix(text, "0")) {
			t.Fatalf("%s and %s", schemas.FormatDecimal(finer), text)
		}
	})
}

func TestADecimalIsReadOnlyAsItIsWritten(t *testing.T) {
	for _, text := range []string{"", ".", "1e3", "1E3", "0x1", "1_000", " 1", "--1", "1.2.3", "NaN"} {
		if d, ok := schemas.ReadDecimal(text); ok {
			t.Errorf("%q is read as %s", text, d)
		}
	}
}
