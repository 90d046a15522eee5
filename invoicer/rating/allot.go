package rating

import (
	"math/big"
	"slices"

	"github.com/shopspring/decimal"

	"github.com/reckon-billing/reckon/schemas"
)

// Allot splits a total over weights in proportion to them, in whole minor units
// of the currency: each part is first cut down to whole units, then the units
// left over go one each to the largest remainders, ties in order (contract 4).
// It is the only place where money is split.
//
// The parts add up to exactly the total, or to the sum of the weights where that
// is less; no part is below 0 or above its weight. The total and the weights are
// amounts of money in whole minor units, the weights not negative; a total below
// 0 counts as 0.
func Allot(total decimal.Decimal, weights []decimal.Decimal, currency schemas.Currency) []decimal.Decimal {
	parts := make([]decimal.Decimal, len(weights))
	whole := decimal.Sum(decimal.Zero, weights...)
	total = decimal.Min(total, whole)
	if !total.IsPositive() {
		return parts
	}
	units, sum := minorUnits(total, currency), minorUnits(whole, currency)
	quotas := make([]quota, len(weights))
	left := new(big.Int).Set(units)
	for i, weight := range weights {
		q := &quotas[i]
		q.index = i
		product := new(big.Int).Mul(units, minorUnits(weight, currency))
		q.units.QuoRem(product, sum, &q.remainder)
		left.Sub(left, &q.units)
	}
	// The remainders are all of the same divisor and add up to left times it, so
	// fewer units are left than there are remainders above 0, and a part with a
	// remainder is still below its weight.
	slices.SortStableFunc(quotas, func(a, b quota) int { return b.remainder.Cmp(&a.remainder) })
	one := big.NewInt(1)
	for i := range quotas {
		q := &quotas[i]
		if left.Sign() > 0 {
			q.units.Add(&q.units, one)
			left.Sub(left, one)
		}
		parts[q.index] = decimal.NewFromBigInt(&q.units, -currency.Digits)
	}
	return parts
}

// quota is one weight's share of the total: whole units and what is left over,
// as the numerator over the sum of the weights.
type quota struct {
	index            int
	units, remainder big.Int
}

func minorUnits(amount decimal.Decimal, currency schemas.Currency) *big.Int {
	return amount.Shift(currency.Digits).BigInt()
}
