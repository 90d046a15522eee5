package rating

import (
	"fmt"
	"math/big"
	"testing"

	"github.com/shopspring/decimal"
	"pgregory.net/rapid"

	"github.com/reckon-billing/reckon/schemas"
)

// drawDecimal draws a decimal of at most so many digits before and after the
// point, small ones as often as long ones, with or without trailing zeros.
func drawDecimal(t *rapid.T, label string, whole, places int) decimal.Decimal {
	digits := rapid.StringMatching(fmt.Sprintf(`[0-9]{1,%d}`, rapid.IntRange(1, whole).Draw(t, label+" digits"))).Draw(t, label)
	if places > 0 && rapid.Bool().Draw(t, label+" has places") {
		digits += "." + rapid.StringMatching(fmt.Sprintf(`[0-9]{1,%d}`, places)).Draw(t, label+" places")
	}
	return dec(digits)
}

func drawPercent(t *rapid.T, label string) decimal.Decimal {
	return rapid.OneOf(
		rapid.SampledFrom([]decimal.Decimal{{}, dec("8"), dec("10"), dec("100"), dec("1e2"), dec("50.0000"), dec("99.9999")}),
		rapid.Custom(func(t *rapid.T) decimal.Decimal {
			return decimal.New(rapid.Int64Range(0, 1_000_000).Draw(t, "ten thousandths"), -4)
		}),
	).Draw(t, label)
}

func drawItem(t *rapid.T, whole int) schemas.PeriodItem {
	i := schemas.PeriodItem{
		Item: schemas.Item{
			Name: "item", Unit: "unit", UnitPrice: drawDecimal(t, "price", whole, 9),
			Per:             rapid.SampledFrom([]schemas.Per{schemas.Per30d, schemas.Per1d, schemas.Per1h, schemas.PerUse}).Draw(t, "per"),
			DiscountPercent: drawPercent(t, "discount"), TaxPercent: drawPercent(t, "tax"),
		},
		Billed: drawDecimal(t, "quantity", whole, 9),
	}
	i.Measured = i.Billed
	if i.Per == schemas.PerUse || rapid.Bool().Draw(t, "metered") {
		i.Meter = schemas.Sum
	} else {
		i.Quantity = i.Billed
	}
	return i
}

func drawCurrency(t *rapid.T) schemas.Currency {
	return rapid.SampledFrom([]schemas.Currency{vnd(), usd(), {Code: "KWD", Digits: 3}}).Draw(t, "currency")
}

// naivePrice spells the contract in fractions that are never rounded.
func naivePrice(i schemas.PeriodItem, minutes int64) (exact, exactTax *big.Rat) {
	hundred := new(big.Rat).SetInt64(100)
	exact = new(big.Rat).Mul(i.UnitPrice.Rat(), i.Billed.Rat())
	exact.Mul(exact, new(big.Rat).Quo(new(big.Rat).Sub(hundred, i.DiscountPercent.Rat()), hundred))
	if units := i.Per.Minutes(); units > 0 {
		exact.Mul(exact, big.NewRat(minutes, units))
	}
	return exact, new(big.Rat).Quo(new(big.Rat).Mul(exact, i.TaxPercent.Rat()), hundred)
}

// naiveRound rounds a fraction that is not negative: the whole part of x + 1/2.
func naiveRound(x *big.Rat, digits int32) *big.Rat {
	scale := new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(digits)), nil))
	up := new(big.Rat).Add(new(big.Rat).Mul(x, scale), big.NewRat(1, 2))
	whole := new(big.Int).Quo(up.Num(), up.Denom())
	return new(big.Rat).Quo(new(big.Rat).SetInt(whole), scale)
}

func TestPriceIsTheContractInFractions(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		i := drawItem(t, 20)
		minutes := rapid.Int64Range(0, 2_000_000).Draw(t, "minutes")
		currency := drawCurrency(t)
		got := Price(i, minutes, currency)

		exact, exactTax := naivePrice(i, minutes)
		gross := naiveRound(new(big.Rat).Add(exact, exactTax), currency.Digits)
		taxAmount := naiveRound(exactTax, currency.Digits)
		if got.TotalAmount.Rat().Cmp(gross) != 0 || got.TaxAmount.Rat().Cmp(taxAmount) != 0 {
			t.Fatalf("priced %s with %s tax, want %s with %s", got.TotalAmount, got.TaxAmount,
				gross.FloatString(int(currency.Digits)), taxAmount.FloatString(int(currency.Digits)))
		}
		checkAmounts(t, got, currency)
	})
}

// checkAmounts holds what is true of every line (immunity E5, E9, G3).
func checkAmounts(t *rapid.T, a schemas.Amounts, currency schemas.Currency) {
	for name, amount := range map[string]decimal.Decimal{
		"before_tax": a.BeforeTax, "tax_amount": a.TaxAmount, "coupon_value": a.CouponValue, "total_amount": a.TotalAmount,
	} {
		if amount.IsNegative() || !currency.Whole(amount) {
			t.Fatalf("%s is %s", name, amount)
		}
	}
	if !a.Gross().Sub(a.CouponValue).Equal(a.TotalAmount) {
		t.Fatalf("%s + %s − %s is not %s", a.BeforeTax, a.TaxAmount, a.CouponValue, a.TotalAmount)
	}
}

// The short cut may be taken or not, also for numbers that no event may have; the
// digits are the same.
func TestTheQuickPriceIsTheExactOne(t *testing.T) {
	taken := 0
	rapid.Check(t, func(t *rapid.T) {
		i := drawItem(t, rapid.SampledFrom([]int{6, 10, 18, 20}).Draw(t, "size"))
		if rapid.Bool().Draw(t, "odd") {
			for name, d := range map[string]*decimal.Decimal{"price": &i.UnitPrice, "discount": &i.DiscountPercent, "tax": &i.TaxPercent} {
				*d = decimal.New(rapid.OneOf(rapid.Int64Range(-9, 200), rapid.Int64()).Draw(t, "odd "+name), rapid.Int32Range(-25, 25).Draw(t, name+" exponent"))
			}
		}
		minutes := rapid.OneOf(rapid.Int64Range(0, 44_640), rapid.Int64()).Draw(t, "minutes")
		currency := drawCurrency(t)
		gross, tax, ok := quick(&i, minutes, currency)
		if !ok {
			return
		}
		taken++
		exactGross, exactTax := exact(&i, minutes, currency)
		if !gross.Equal(exactGross) || !tax.Equal(exactTax) {
			t.Fatalf("quick %s and %s, exact %s and %s", gross, tax, exactGross, exactTax)
		}
	})
	if taken == 0 {
		t.Error("the short cut was never taken")
	}
}

func TestTheQuickPriceIsLeftWhereItDoesNotFit(t *testing.T) {
	for name, i := range map[string]schemas.PeriodItem{
		"a negative price":                  item("-1"),
		"a negative quantity":               item("1", quantity("-1")),
		"a discount above 100 %":            item("1", discount("101")),
		"a discount of 10^20 %":             item("1", discount("1e20")),
		"a discount of 2^47 × 10^17 %":      item("1", discount("140737488355328e17")), // 0 in 64 bits
		"more digits than fit":              item("123456789012345678"),
		"more places than fit":              item("0.000000000000000001"),
		"a product that does not fit":       item("99999999999999999", quantity("99999999999999999")),
		"a divisor that does not fit":       item("0.123456789", quantity("0.123456789")),
		"an amount above 9,223,372,036,854": item("99999999999", quantity("999999999")),
	} {
		if gross, tax, ok := quick(&i, 43_199, vnd()); ok {
			t.Errorf("%s: quick says %s and %s", name, gross, tax)
		}
		if got, want := Price(i, 1, usd()).TotalAmount, naiveMinute(i); !got.Equal(want) {
			t.Errorf("%s: a minute costs %s, want %s", name, got, want)
		}
	}
	if units, ok := roundSmall(wide{hi: 5}, 5); ok {
		t.Errorf("a quotient of 2^64 is %d", units)
	}
	if units, ok := roundSmall(wide{hi: 1, lo: 0}, 2); ok {
		t.Errorf("a quotient of 2^63 is %d", units)
	}
	if units, ok := roundSmall(wide{lo: 1<<64 - 2}, 2); ok {
		t.Errorf("a quotient of 2^63 − 1 might round up to %d", units)
	}
}

// naiveMinute is what one minute costs in dollars, of either sign.
func naiveMinute(i schemas.PeriodItem) decimal.Decimal {
	sum, tax := naivePrice(i, 1)
	sum.Add(sum, tax)
	cents := naiveRound(new(big.Rat).Abs(sum), 2)
	return decimal.NewFromBigRat(cents.Mul(cents, big.NewRat(int64(sum.Sign()), 1)), 2)
}

func TestTheQuickPriceIsTakenForAnOrdinaryLine(t *testing.T) {
	for name, i := range map[string]schemas.PeriodItem{
		"as written":         item("165000", quantity("3"), discount("15"), tax("8")),
		"with stored zeros":  item("165000.000000000", quantity("3.000000000"), discount("15.0000"), tax("8.0000")),
		"small with decimal": item("7.7", quantity("0.25"), tax("8.25"), per(schemas.Per1h)),
	} {
		if _, _, ok := quick(&i, 44_640, vnd()); !ok {
			t.Errorf("%s: the short cut does not fit", name)
		}
	}
}

func TestRoundIsTheNearestWholeUnitAndKeepsItsSign(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		num := decimal.NewFromBigInt(big.NewInt(rapid.Int64().Draw(t, "num")), rapid.Int32Range(-18, 3).Draw(t, "exponent"))
		den := decimal.NewFromInt(rapid.Int64Range(1, 1_000_000).Draw(t, "den"))
		currency := drawCurrency(t)
		got := Round(num, den, currency)
		if !Round(num.Neg(), den, currency).Equal(got.Neg()) {
			t.Fatal("the sign changes the number")
		}
		want := naiveRound(new(big.Rat).Quo(num.Abs().Rat(), den.Rat()), currency.Digits)
		if got.Abs().Rat().Cmp(want) != 0 {
			t.Fatalf("rounded to %s, want %s", got, want.FloatString(int(currency.Digits)))
		}
	})
}

// A longer stretch cut in pieces costs what it costs whole, but for the half
// unit that each rounding may take or give.
func TestPiecesOfAStretchAddUpToTheWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		i := drawItem(t, 12)
		if i.Per == schemas.PerUse {
			i.Per = schemas.Per1h
		}
		currency := drawCurrency(t)
		pieces := rapid.SliceOfN(rapid.Int64Range(1, 20_000), 1, 10).Draw(t, "pieces")
		var minutes int64
		sum := decimal.Zero
		for _, piece := range pieces {
			minutes += piece
			sum = sum.Add(Price(i, piece, currency).TotalAmount)
		}
		off := sum.Sub(Price(i, minutes, currency).TotalAmount).Abs()
		if halves := decimal.New(int64(len(pieces)+1), -currency.Digits); off.Add(off).GreaterThan(halves) {
			t.Fatalf("%d pieces are %s off", len(pieces), off)
		}
	})
}
