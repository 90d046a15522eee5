package clickhouse

import (
	"encoding/binary"
	"fmt"
	"math/big"

	"github.com/ClickHouse/ch-go/proto"
	"github.com/shopspring/decimal"
)

// quantityInput is a column Decimal(38, 9) to insert, which refuses what it cannot
// hold exactly.
type quantityInput struct {
	proto.ColDecimal128
	name string
}

// Type is for the library.
func (c *quantityInput) Type() proto.ColumnType { return "Decimal(38, 9)" }

func (c *quantityInput) add(v decimal.Decimal) error {
	const digits, places = 38, 9
	if n, ok := scaled(v, places); ok {
		c.ColDecimal128 = append(c.ColDecimal128, proto.Decimal128{Low: uint64(n), High: uint64(n >> 63)}) //nolint:gosec // its bits
		return nil
	}
	var b [16]byte
	if err := scaledBytes(b[:], c.name, v, digits, places); err != nil {
		return err
	}
	c.ColDecimal128 = append(c.ColDecimal128, proto.Decimal128(int128(b[:])))
	return nil
}

// percentInput is a column Decimal(9, 4).
type percentInput struct {
	proto.ColDecimal32
	name string
}

// Type is for the library.
func (c *percentInput) Type() proto.ColumnType { return "Decimal(9, 4)" }

func (c *percentInput) add(v decimal.Decimal) error {
	const digits, places, limit = 9, 4, 1_000_000_000
	n, ok := scaled(v, places)
	if !ok || n <= -limit || n >= limit {
		if err := fits(c.name, v, digits, places); err != nil {
			return err
		}
		n = v.Shift(places).IntPart()
	}
	c.ColDecimal32 = append(c.ColDecimal32, proto.Decimal32(n)) //nolint:gosec // fits
	return nil
}

// moneyInput is a column Decimal(76, decimals of the currency).
type moneyInput struct {
	proto.ColDecimal256
	name   string
	places int32
}

// Type is for the library.
func (c *moneyInput) Type() proto.ColumnType {
	return proto.ColumnType(fmt.Sprintf("Decimal(76, %d)", c.places))
}

func (c *moneyInput) add(v decimal.Decimal) error {
	if n, ok := scaled(v, c.places); ok {
		sign := uint64(n >> 63) //nolint:gosec // its bits
		c.ColDecimal256 = append(c.ColDecimal256, proto.Decimal256{
			Low: proto.UInt128{Low: uint64(n), High: sign}, High: proto.UInt128{Low: sign, High: sign}, //nolint:gosec // its bits
		})
		return nil
	}
	var b [32]byte
	if err := scaledBytes(b[:], c.name, v, 76, c.places); err != nil {
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
