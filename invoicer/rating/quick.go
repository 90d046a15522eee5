package rating

import (
	"math/bits"

	"github.com/shopspring/decimal"

	"github.com/reckon-billing/reckon/schemas"
)

// quick is exact for the numbers that nearly every line has: the same formula in
// 128 bits, at an eighth of the time. It says false where a number is negative or
// a step does not fit; where it says true it is the same to the digit.
func quick(item *schemas.PeriodItem, minutes int64, currency schemas.Currency) (gross, tax decimal.Decimal, ok bool) {
	num := wide{lo: 1, exp: currency.Digits}.timesDecimal(item.UnitPrice).timesDecimal(item.Billed)
	num = num.timesHundredAnd(item.DiscountPercent, true)
	den := uint64(100 * 100)
	if per := item.Per.Minutes(); per > 0 {
		if minutes < 0 {
			return gross, tax, false
		}
		num = num.times(uint64(minutes))
		den *= uint64(per)
	}
	g, okGross := num.timesHundredAnd(item.TaxPercent, false).round(den)
	t, okTax := num.timesDecimal(item.TaxPercent).round(den)
	return decimal.New(g, -currency.Digits), decimal.New(t, -currency.Digits), okGross && okTax
}

// wide is (hi × 2^64 + lo) × 10^exp; over says that a number did not fit.
type wide struct {
	hi, lo uint64
	exp    int32
	over   bool
}

func (w wide) times(n uint64) wide {
	carry, lo := bits.Mul64(w.lo, n)
	over, hi := bits.Mul64(w.hi, n)
	hi, more := bits.Add64(hi, carry, 0)
	return wide{hi, lo, w.exp, w.over || over != 0 || more != 0}
}

func (w wide) timesDecimal(d decimal.Decimal) wide {
	digits, exp, ok := split(d)
	w = w.times(digits)
	w.exp += exp
	w.over = w.over || !ok
	return w
}

// timesHundredAnd multiplies by 100 plus or minus the percent, which is at most 100.
func (w wide) timesHundredAnd(percent decimal.Decimal, minus bool) wide {
	digits, exp, ok := split(percent)
	if exp > 2 { // 100 is the only percent with two zeros
		ok, exp = false, 0
	}
	if exp > 0 {
		digits, exp = digits*tenTo(exp), 0
	}
	hundred := 100 * tenTo(-exp)
	w.over = w.over || !ok || digits > hundred
	if minus {
		w = w.times(hundred - digits)
	} else {
		w = w.times(hundred + digits)
	}
	w.exp += exp
	return w
}

// round divides and rounds, the power of ten brought above or below the line.
func (w wide) round(den uint64) (units int64, ok bool) {
	switch {
	case w.exp > maxTen || w.exp < -maxTen:
		return 0, false
	case w.exp >= 0:
		return roundSmall(w.times(tenTo(w.exp)), den)
	}
	high, den := bits.Mul64(den, tenTo(-w.exp))
	w.over = w.over || high != 0
	return roundSmall(w, den)
}

// maxTen is how many digits and which powers of ten are small: two digits more
// still fit in 64 bits.
const maxTen = 17

// split is the decimal's digits without trailing zeros and its exponent, or false
// where it is negative or has more than maxTen of either.
func split(d decimal.Decimal) (digits uint64, exp int32, ok bool) {
	if d.NumDigits() > maxTen || d.IsNegative() {
		return 0, 0, false
	}
	digits, exp = uint64(d.CoefficientInt64()), d.Exponent() //nolint:gosec // not negative
	if digits == 0 {
		return 0, 0, true
	}
	for digits%10 == 0 {
		digits /= 10
		exp++
	}
	return digits, exp, -maxTen <= exp && exp <= maxTen
}

func tenTo(n int32) uint64 {
	ten := uint64(1)
	for range n {
		ten *= 10
	}
	return ten
}
