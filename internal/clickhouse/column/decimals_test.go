package column

import (
	"math/big"
	"testing"

	"github.com/shopspring/decimal"
	"pgregory.net/rapid"
)

// TestADecimalIsSentAsItIsOrRefused holds the columns against arithmetic on whole
// numbers.
func TestADecimalIsSentAsItIsOrRefused(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		digits := rapid.StringMatching(`-?[0-9]{1,80}`).Draw(t, "digits")
		exponent := rapid.Int32Range(-30, 60).Draw(t, "exponent")
		coefficient, _ := new(big.Int).SetString(digits, 10)
		value := decimal.NewFromBigInt(coefficient, exponent)
		for _, column := range []struct {
			kind           string
			digits, places int32
			send           func() (decimal.Decimal, error)
		}{
			{"quantity", 38, 9, func() (decimal.Decimal, error) {
				c := Decimal128Input{Name: "q", Places: 9}
				if err := c.Add(value); err != nil {
					return value, err
				}
				return DecimalOf128(c.ColDecimal128[0], 9), nil
			}},
			{"percent", 9, 4, func() (decimal.Decimal, error) {
				c := Decimal32Input{Places: 4, Name: "p"}
				if err := c.Add(value); err != nil {
					return value, err
				}
				return decimal.New(int64(c.ColDecimal32[0]), -4), nil
			}},
			{"money", 76, 2, func() (decimal.Decimal, error) {
				c := Decimal256Input{Name: "m", Places: 2}
				if err := c.Add(value); err != nil {
					return value, err
				}
				return DecimalOf256(c.ColDecimal256[0], 2), nil
			}},
		} {
			// coefficient * 10^(exponent + places) has to be whole and not too big.
			shift := int64(exponent + column.places)
			power := new(big.Int).Exp(big.NewInt(10), big.NewInt(max(shift, -shift)), nil)
			want, rest := new(big.Int).Mul(coefficient, power), new(big.Int)
			if shift < 0 {
				want, rest = new(big.Int).QuoRem(coefficient, power, rest)
			}
			limit := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(column.digits)), nil)
			holds := rest.Sign() == 0 && want.CmpAbs(limit) < 0
			got, err := column.send()
			if (err == nil) != holds {
				t.Fatalf("%s %s: %v, want it held: %v", column.kind, value, err, holds)
			}
			if holds && (!got.Equal(decimal.NewFromBigInt(want, -column.places)) || got.Exponent() != -column.places) {
				t.Fatalf("%s %s: sent and read back %s", column.kind, value, got)
			}
		}
	})
}
