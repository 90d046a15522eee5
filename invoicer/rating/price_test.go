package rating

import (
	"testing"

	"github.com/shopspring/decimal"

	"github.com/reckon-billing/reckon/schemas"
)

func vnd() schemas.Currency { return schemas.Currency{Code: "VND"} }

func usd() schemas.Currency { return schemas.Currency{Code: "USD", Digits: 2} }

func dec(s string) decimal.Decimal { return decimal.RequireFromString(s) }

// item is a fixed quantity of 1 at a price for 30 days; the options change it.
func item(price string, options ...func(*schemas.PeriodItem)) schemas.PeriodItem {
	i := schemas.PeriodItem{
		Item:     schemas.Item{Name: "item", Unit: "unit", UnitPrice: dec(price), Quantity: dec("1"), Per: schemas.Per30d},
		Measured: dec("1"), Billed: dec("1"),
	}
	for _, option := range options {
		option(&i)
	}
	return i
}

func quantity(q string) func(*schemas.PeriodItem) {
	return func(i *schemas.PeriodItem) { i.Quantity, i.Measured, i.Billed = dec(q), dec(q), dec(q) }
}

func metered(meter schemas.Meter, q string) func(*schemas.PeriodItem) {
	return func(i *schemas.PeriodItem) {
		i.Meter, i.Quantity, i.Measured, i.Billed = meter, decimal.Zero, dec(q), dec(q)
	}
}

func per(p schemas.Per) func(*schemas.PeriodItem) {
	return func(i *schemas.PeriodItem) { i.Per = p }
}

func discount(percent string) func(*schemas.PeriodItem) {
	return func(i *schemas.PeriodItem) { i.DiscountPercent = dec(percent) }
}

func tax(percent string) func(*schemas.PeriodItem) {
	return func(i *schemas.PeriodItem) { i.TaxPercent = dec(percent) }
}

const day = 1_440

// priceCase is one row of a table: the expected numbers are written by hand.
type priceCase struct {
	name                  string
	item                  schemas.PeriodItem
	minutes               int64
	before, tax, expected string
}

func testPrices(t *testing.T, currency schemas.Currency, cases []priceCase) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got := Price(c.item, c.minutes, currency)
			want := schemas.Amounts{BeforeTax: dec(c.before), TaxAmount: dec(c.tax), TotalAmount: dec(c.expected)}
			if !got.Sub(want).IsZero() {
				t.Errorf("priced %s + %s tax − %s coupon = %s, want %s + %s = %s", got.BeforeTax, got.TaxAmount,
					got.CouponValue, got.TotalAmount, c.before, c.tax, c.expected)
			}
		})
	}
}

// The numbers are worked out by hand from the provider's published formula: a
// price before VAT, half up to whole đồng. Guards immunity E6 and E10.
func TestPricesOfTheFormulaWorkedOutByHand(t *testing.T) {
	testPrices(t, vnd(), []priceCase{
		{"WD1: 30 days are one unit", item("165000", tax("10")), 43_200, "165000", "16500", "181500"},
		{"WD2: a month of 31 days costs 31/30", item("165000", tax("10")), 44_640, "170500", "17050", "187550"},
		{"WD3: a February of 28 days costs 28/30", item("165000", tax("10")), 40_320, "154000", "15400", "169400"},
		{"WD4: ten days before a resize", item("165000", tax("10")), 14_400, "55000", "5500", "60500"},
		{"WD4: twenty days after it", item("330000", tax("10")), 28_800, "220000", "22000", "242000"},
		{"WD5: one minute", item("165000", tax("10")), 1, "4", "0", "4"},
		{"WD6: one minute, rounded once and not in parts", item("181500", tax("10")), 1, "5", "0", "5"},
		{"WD7: quantity, discount and tax, 1,000 of coupon still to come off", item("165000", quantity("3"), discount("15"), tax("8")), 12_345, "120235", "9619", "129854"},
	})
}

// The numbers are in the provider's published documents and screenshots; WF9 is
// recomputed, as its page contradicts its own formula.
func TestPricesOfTheProvidersDocuments(t *testing.T) {
	testPrices(t, vnd(), []priceCase{
		{"WF1: the first item over 60 days", item("90000"), 60 * day, "180000", "0", "180000"},
		{"WF1: the second item over 60 days", item("35000"), 60 * day, "70000", "0", "70000"},
		{"WF6: 50 days unused of the small one", item("181000"), 50 * day, "301667", "0", "301667"},
		{"WF6: 50 days of the big one", item("520000"), 50 * day, "866667", "0", "866667"},
		{"WF7: 20 days unused of the big one", item("520000"), 20 * day, "346667", "0", "346667"},
		{"WF7: 20 days of the small one", item("181000"), 20 * day, "120667", "0", "120667"},
		{"WF8: 5 days unused of 30 GB", item("19800"), 5 * day, "3300", "0", "3300"},
		{"WF8: 5 days of 80 GB", item("52800"), 5 * day, "8800", "0", "8800"},
		{"WF9: 20 days unused at the delete", item("181000"), 20 * day, "120667", "0", "120667"},
		{"WF10: 24 days unused at the delete", item("19800"), 24 * day, "15840", "0", "15840"},
		{"WF11: the first of two", item("1000000"), 30 * day, "1000000", "0", "1000000"},
		{"WF11: the second of two", item("500000"), 30 * day, "500000", "0", "500000"},
		{"WF12: a day at list price", item("440000"), 1_440, "14667", "0", "14667"},
		{"WF12: a day at half price", item("440000", discount("50")), 1_440, "7333", "0", "7333"},
		{"WF12: a day and two hours at list price", item("440000"), 1_563, "15919", "0", "15919"},
		{"WF12: a day and two hours at half price", item("440000", discount("50")), 1_563, "7960", "0", "7960"},
	})
}

// Differences of whole terms, as the documents show them, are differences of
// rounded prices.
func TestDifferencesOfTermsAreThoseOfTheDocuments(t *testing.T) {
	for _, c := range []struct {
		name     string
		old, new string
		minutes  int64
		expected string
	}{
		{"WF6: a resize up is paid", "181000", "520000", 50 * day, "565000"},
		{"WF7: a resize down is returned", "520000", "181000", 20 * day, "-226000"},
		{"WF8: 30 to 80 GB", "19800", "52800", 5 * day, "5500"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := Price(item(c.new), c.minutes, vnd()).Sub(Price(item(c.old), c.minutes, vnd()))
			if !got.TotalAmount.Equal(dec(c.expected)) {
				t.Errorf("difference %s, want %s", got.TotalAmount, c.expected)
			}
		})
	}
}

func TestPricesAtTheEdgesOfTheFormula(t *testing.T) {
	testPrices(t, vnd(), []priceCase{
		{"a quantity of zero costs nothing (D6 of the immunity list)", item("165000", quantity("0"), tax("10")), 43_200, "0", "0", "0"},
		{"no usage of a metered item costs nothing", item("165000", metered(schemas.Sum, "0"), per(schemas.PerUse)), 43_200, "0", "0", "0"},
		{"a price of zero costs nothing", item("0", tax("10")), 43_200, "0", "0", "0"},
		{"no minute costs nothing", item("165000", tax("10")), 0, "0", "0", "0"},
		{"a discount of 100 % costs nothing, nor does its tax", item("165000", discount("100"), tax("10")), 43_200, "0", "0", "0"},
		{"a discount of 99.9999 % leaves a millionth", item("1000000", discount("99.9999")), 43_200, "1", "0", "1"},
		{"a tax of 100 % doubles", item("165000", tax("100")), 43_200, "165000", "165000", "330000"},
		{"per use has no time factor", item("1000", metered(schemas.Sum, "8.25"), per(schemas.PerUse)), 43_200, "8250", "0", "8250"},
		{"per use costs the same in one minute", item("1000", metered(schemas.Sum, "8.25"), per(schemas.PerUse)), 1, "8250", "0", "8250"},
		{"per hour: 7.7 for 10 GB over 3 hours", item("7.7", quantity("10"), per(schemas.Per1h)), 180, "231", "0", "231"},
		{"per hour: 7.7 for 20 GB over 20 hours", item("7.7", quantity("20"), per(schemas.Per1h)), 1_200, "3080", "0", "3080"},
		{"per day: a day and a half", item("1000", per(schemas.Per1d)), 2_160, "1500", "0", "1500"},
		// The denominator is the price's own unit, never what is left of a period (immunity D1).
		{"half a unit ended early costs half", item("165000"), 21_600, "82500", "0", "82500"},
		{"one day costs a thirtieth", item("165000"), 1_440, "5500", "0", "5500"},
		{"a half goes up", item("0.5", metered(schemas.Count, "1"), per(schemas.PerUse)), 1, "1", "0", "1"},
		{"just below a half goes down", item("0.499999999", metered(schemas.Count, "1"), per(schemas.PerUse)), 1, "0", "0", "0"},
		{"the tax rounds by itself: 1.5 and 0.5 are 2, of which 1 is tax", item("1", metered(schemas.Count, "1"), per(schemas.PerUse), tax("50")), 1, "1", "1", "2"},
	})
}

// Guards immunity E1 and J3: no digit is lost to a fixed number of places.
func TestLargeAndLongNumbersArePricedExactly(t *testing.T) {
	testPrices(t, vnd(), []priceCase{
		{"10^15 đồng with tax", item("1000000000000000", tax("10")), 43_200, "1000000000000000", "100000000000000", "1100000000000000"},
		{"nine decimals of quantity at 10^15", item("1000000000000000", quantity("0.123456789")), 43_200, "123456789000000", "0", "123456789000000"},
		{"10^15 for one minute: 23,148,148,148.148…", item("1000000000000000"), 1, "23148148148", "0", "23148148148"},
		{"twenty digits and nine decimals round up", item("99999999999999999999.999999999"), 43_200, "100000000000000000000", "0", "100000000000000000000"},
		{
			"(10^20 − 10^−9) squared is 10^40 − 2 × 10^11 + 10^−18", item("99999999999999999999.999999999", quantity("99999999999999999999.999999999")),
			43_200, "9999999999999999999999999999800000000000", "0", "9999999999999999999999999999800000000000",
		},
		// 0.5 − 10^−18: a quotient kept to 16 places would already be 0.5.
		{
			"a quotient whose 18th place decides goes down",
			item("0.000000001", quantity("499999999.999999999")), 43_200, "0", "0", "0",
		},
		{"and its neighbour goes up", item("0.000000001", quantity("500000000")), 43_200, "1", "0", "1"},
	})
	testPrices(t, usd(), []priceCase{
		// 99.99 × 31/30 = 103.323; tax 8.5241475; together 111.8471475.
		{"cents: the difference carries the rounding", item("99.99", tax("8.25")), 44_640, "103.33", "8.52", "111.85"},
		{"a minute of ten dollars is no cent", item("10"), 1, "0", "0", "0"},
		{"half a cent goes up", item("0.005", metered(schemas.Count, "1"), per(schemas.PerUse)), 1, "0.01", "0", "0.01"},
	})
}

func TestRoundingIsHalfAwayFromZero(t *testing.T) {
	for _, c := range []struct {
		name            string
		num, den        string
		currency        schemas.Currency
		expected, spelt string
	}{
		{"a half goes up", "1", "2", vnd(), "1", "1"},
		{"minus a half goes down", "-1", "2", vnd(), "-1", "-1"},
		{"so it does with the sign below", "1", "-2", vnd(), "-1", "-1"},
		{"two and a half is not to even", "5", "2", vnd(), "3", "3"},
		{"minus two and a half is not to even", "-5", "2", vnd(), "-3", "-3"},
		{"a third goes down", "1", "3", vnd(), "0", "0"},
		{"minus a third goes up", "-1", "3", vnd(), "0", "0"},
		{"minus two thirds go down", "-2", "3", vnd(), "-1", "-1"},
		{"a hair below a half stays", "0.4999999999999999999999999", "1", vnd(), "0", "0"},
		{"a hair above minus a half stays", "-0.4999999999999999999999999", "1", vnd(), "0", "0"},
		{"a half of a cent goes up", "1.005", "1", usd(), "1.01", "1.01"},
		{"minus a half of a cent goes down", "-1.005", "1", usd(), "-1.01", "-1.01"},
		{"what is whole stays", "1500", "1", usd(), "1500", "1500.00"},
		{"zero stays", "0", "43200", usd(), "0", "0.00"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := Round(dec(c.num), dec(c.den), c.currency)
			if !got.Equal(dec(c.expected)) || c.currency.Format(got) != c.spelt {
				t.Errorf("%s / %s = %s, want %s", c.num, c.den, c.currency.Format(got), c.spelt)
			}
		})
	}
}
