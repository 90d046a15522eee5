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

// Decimal128Input is a column Decimal(38, places) to insert, which refuses what it
// cannot hold exactly.
type Decimal128Input struct {
	proto.ColDecimal128
	// Name is for its errors.
	Name   string
	Places int32
}

// Type is for the library.
func (c *Decimal128Input) Type() proto.ColumnType { return decimalType(38, c.Places) }

// Add adds a value.
func (c *Decimal128Input) Add(v decimal.Decimal) error {
	if n, ok := scaled(v, c.Places); ok {
		c.ColDecimal128 = append(c.ColDecimal128, proto.Decimal128{Low: uint64(n), High: uint64(n >> 63)}) //nolint:gosec // its bits
		return nil
	}
	var b [16]byte
	if err := scaledBytes(b[:], c.Name, v, 38, c.Places); err != nil {
		return err
	}
	c.ColDecimal128 = append(c.ColDecimal128, proto.Decimal128(int128(b[:])))
	return nil
}

// Decimal32Input is a column Decimal(9, places) to insert, as [Decimal128Input] is one.
type Decimal32Input struct {
	proto.ColDecimal32
	Name   string
	Places int32
}

// Type is for the library.
func (c *Decimal32Input) Type() proto.ColumnType { return decimalType(9, c.Places) }

// Add adds a value.
func (c *Decimal32Input) Add(v decimal.Decimal) error {
	const digits, limit = 9, 1_000_000_000
	n, ok := scaled(v, c.Places)
	if !ok || n <= -limit || n >= limit {
		if err := fits(c.Name, v, digits, c.Places); err != nil {
			return err
		}
		n = v.Shift(c.Places).IntPart()
	}
	c.ColDecimal32 = append(c.ColDecimal32, proto.Decimal32(n)) //nolint:gosec // fits
	return nil
}

// Decimal256Input is a column Decimal(76, places) to insert, as [Decimal128Input] is
// one.
type Decimal256Input struct {
	proto.ColDecimal256
	Name   string
	Places int32
}

// Type is for the library.
func (c *Decimal256Input) Type() proto.ColumnType { return decimalType(76, c.Places) }

func decimalType(digits, places int32) proto.ColumnType {
	return proto.ColumnType(fmt.Sprintf("Decimal(%d, %d)", digits, places))
}

// Add adds a value.
func (c *Decimal256Input) Add(v decimal.Decimal) error {
	if n, ok := scaled(v, c.Places); ok {
		sign := uint64(n >> 63) //nolint:gosec // its bits
		c.ColDecimal256 = append(c.ColDecimal256, proto.Decimal256{
			Low: proto.UInt128{Low: uint64(n), High: sign}, High: proto.UInt128{Low: sign, High: sign}, //nolint:gosec // its bits
		})
		return nil
	}
	var b [32]byte
	if err := scaledBytes(b[:], c.Name, v, 76, c.Places); err != nil {
		return err
	}
	c.ColDecimal256 = append(c.ColDecimal256, proto.Decimal256{
		High: proto.UInt128(int128(b[:16])), Low: proto.UInt128(int128(b[16:])),
	})
	return nil
}

// scaled is v * 10^places, if that is a whole number of at most 18 digits.
func scaled(v decimal.Decimal, places int32) (int64, bool) {
	if v.IsZero() {
		return 0, true
	}
	shift := v.Exponent() + places
	if shift < 0 || int(shift)+v.NumDigits() > 18 {
		return 0, false
	}
	n := v.CoefficientInt64()
	for range shift {
		n *= 10
	}
	return n, true
}

// scaledBytes writes v * 10^places in two's complement, the highest byte first.
func scaledBytes(b []byte, name string, v decimal.Decimal, digits, places int32) error {
	if err := fits(name, v, digits, places); err != nil {
		return err
	}
	n := v.Shift(places).BigInt()
	if n.Sign() < 0 {
		n.Add(n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b)))) // 128 or 256
	}
	n.FillBytes(b)
	return nil
}

func int128(b []byte) proto.Int128 {
	return proto.Int128{High: binary.BigEndian.Uint64(b), Low: binary.BigEndian.Uint64(b[8:])}
}
