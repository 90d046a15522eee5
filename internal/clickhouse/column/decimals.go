package column

import (
	"encoding/binary"
	"fmt"
	"math/big"

	"github.com/ClickHouse/ch-go/proto"
	"github.com/shopspring/decimal"
)

// DecimalOf128 is a value of a column Decimal(38, places). The exponent is always
// the column's, so that sums of values need no rescaling.
func DecimalOf128(v proto.Decimal128, places int32) decimal.Decimal {
	if int64(v.High) == int64(v.Low)>>63 { //nolint:gosec // the sign of a value of 64 bits
		return decimal.New(int64(v.Low), -places) //nolint:gosec // its bits
	}
	var b [16]byte
	binary.BigEndian.PutUint64(b[:], v.High)
	binary.BigEndian.PutUint64(b[8:], v.Low)
	return decimal.NewFromBigInt(signed(b[:]), -places)
}

// DecimalOf256 is a value of a column Decimal(76, places).
func DecimalOf256(v proto.Decimal256, places int32) decimal.Decimal {
	if sign := uint64(int64(v.Low.Low) >> 63); v.Low.High == sign && v.High.Low == sign && v.High.High == sign { //nolint:gosec // its bits
		return decimal.New(int64(v.Low.Low), -places) //nolint:gosec // its bits
	}
	var b [32]byte
	for i, part := range [...]uint64{v.High.High, v.High.Low, v.Low.High, v.Low.Low} {
		binary.BigEndian.PutUint64(b[8*i:], part)
	}
	return decimal.NewFromBigInt(signed(b[:]), -places)
}

// signed is a number in two's complement, the highest byte first.
func signed(b []byte) *big.Int {
	n := new(big.Int).SetBytes(b)
	if b[0] >= 0x80 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b)))) // 128 or 256
	}
	return n
}

// fits refuses a number that a column Decimal(digits, places) does not hold
// exactly: the libraries cut surplus places and the server does not check digits.
func fits(name string, v decimal.Decimal, digits, places int32) error {
	exponent := v.Exponent()
	switch {
	case exponent < -places && !v.Equal(v.Truncate(places)):
		return fmt.Errorf("%s %s: more than %d decimals", name, v, places)
	// NumDigits counts a zero as one digit.
	case !v.IsZero() && int32(v.NumDigits())+exponent > digits-places: //nolint:gosec // a number of digits
		return fmt.Errorf("%s %s: more than %d digits before the point", name, v, digits-places)
	}
	return nil
}
