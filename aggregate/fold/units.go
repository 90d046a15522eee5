package fold

import (
	"cmp"
	"encoding/binary"
	"math"
	"math/big"
	"math/bits"

	"github.com/shopspring/decimal"
)

// Units is a usage value, or what a meter makes of some: billionths, never below
// 0, in 128 bits. A value has 29 digits before the point at most, so that only
// sums of more than a thousand million of the largest do not fit.
type Units struct{ Low, High uint64 }

// unitPlaces is the number of decimals of a value (contract 2).
const unitPlaces = 9

// tooMany stands for what does not fit.
var tooMany = Units{math.MaxUint64, math.MaxUint64} //nolint:gochecknoglobals // a constant of a type that has none

// UnitsOf is the value in units; false for what has none.
func UnitsOf(value decimal.Decimal) (Units, bool) {
	shifted := value.Shift(unitPlaces)
	n := shifted.BigInt()
	if value.IsNegative() || n.BitLen() > 127 || !shifted.IsInteger() {
		return Units{}, false
	}
	var b [16]byte
	n.FillBytes(b[:])
	return Units{binary.BigEndian.Uint64(b[8:]), binary.BigEndian.Uint64(b[:8])}, true
}

// Decimal is the value.
func (u Units) Decimal() decimal.Decimal {
	if u == (Units{}) {
		return decimal.Decimal{}
	}
	if u.High == 0 && u.Low <= math.MaxInt64 {
		return decimal.New(int64(u.Low), -unitPlaces)
	}
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], u.High)
	binary.BigEndian.PutUint64(b[8:], u.Low)
	return decimal.NewFromBigInt(new(big.Int).SetBytes(b[:]), -unitPlaces)
}

func (u Units) compare(o Units) int {
	return cmp.Or(cmp.Compare(u.High, o.High), cmp.Compare(u.Low, o.Low))
}

// plus is tooMany when the sum does not fit.
func (u Units) plus(o Units) Units {
	low, carry := bits.Add64(u.Low, o.Low, 0)
	high, over := bits.Add64(u.High, o.High, carry)
	if over != 0 {
		return tooMany
	}
	return Units{low, high}
}

// times is tooMany when the product does not fit.
func (u Units) times(n uint64) Units {
	carry, low := bits.Mul64(u.Low, n)
	over, high := bits.Mul64(u.High, n)
	high, more := bits.Add64(high, carry, 0)
	if over != 0 || more != 0 {
		return tooMany
	}
	return Units{low, high}
}
