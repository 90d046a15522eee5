package rating

import (
	"math"
	"math/bits"

	"github.com/shopspring/decimal"

	"github.com/reckon-billing/reckon/schemas"
)

// Round is num / den, rounded half away from zero to the minor unit of the
// currency (contract 4). Money is rounded nowhere else.
//
// The quotient is never formed before it is rounded: the decision is made on the
// remainder of one integer division, so no digit is lost however long the true
// quotient is. den must not be 0.
func Round(num, den decimal.Decimal, currency schemas.Currency) decimal.Decimal {
	return num.DivRound(den, currency.Digits)
}

// roundSmall is Round for a number that quick multiplied out, over a positive
// divisor: whole minor units, or false where they do not fit in 63 bits.
func roundSmall(num wide, den uint64) (units int64, ok bool) {
	if num.over || num.hi >= den {
		return 0, false
	}
	quotient, remainder := bits.Div64(num.hi, num.lo, den)
	if quotient >= math.MaxInt64 {
		return 0, false
	}
	if remainder >= den-remainder {
		quotient++
	}
	return int64(quotient), true // checked above
}
