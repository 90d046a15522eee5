package clickhouse

import (
	"fmt"

	"github.com/shopspring/decimal"
)

// decimals gathers a column of decimals and refuses what the column cannot hold
// exactly: the driver cuts surplus places and the server does not check digits.
type decimals struct {
	name string
	// digits in all and places of them behind the point, as in Decimal(38, 9).
	digits, places int32
	values         []decimal.Decimal
	err            error
}

// quantities is a column Decimal(38, 9), percents one of Decimal(9, 4), money
// one of Decimal(76, places of the currency).
func quantities(name string, rows int) *decimals {
	return &decimals{name: name, digits: 38, places: 9, values: make([]decimal.Decimal, 0, rows)}
}

func percents(name string, rows int) *decimals {
	return &decimals{name: name, digits: 9, places: 4, values: make([]decimal.Decimal, 0, rows)}
}

func (s *Store) money(name string, rows int) *decimals {
	return &decimals{name: name, digits: 76, places: s.config.Digits, values: make([]decimal.Decimal, 0, rows)}
}

func (d *decimals) add(v decimal.Decimal) {
	d.values = append(d.values, v)
	switch exponent := v.Exponent(); {
	case d.err != nil:
	case exponent < -d.places && !v.Equal(v.Truncate(d.places)):
		d.err = fmt.Errorf("%s %s: more than %d decimals", d.name, v, d.places)
	// NumDigits counts a zero as one digit.
	case !v.IsZero() && int32(v.NumDigits())+exponent > d.digits-d.places: //nolint:gosec // a number of digits
		d.err = fmt.Errorf("%s %s: more than %d digits before the point", d.name, v, d.digits-d.places)
	}
}

// take hands out what was gathered since the last take: one row of a column of
// arrays.
func (d *decimals) take() []decimal.Decimal {
	row := d.values
	d.values = nil
	return row
}

// firstError is the first of the columns' errors.
func firstError(columns ...*decimals) error {
	for _, d := range columns {
		if d.err != nil {
			return d.err
		}
	}
	return nil
}
