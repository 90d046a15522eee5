package clickhouse

import "github.com/shopspring/decimal"

// decimals gathers a column of decimals and refuses what the column cannot hold
// exactly.
type decimals struct {
	name string
	// digits in all and places of them behind the point, as in Decimal(76, 0).
	digits, places int32
	values         []decimal.Decimal
	err            error
}

// money is a column of Decimal(76, places of the currency).
func (s *Store) money(name string, rows int) *decimals {
	return &decimals{name: name, digits: 76, places: s.config.Digits, values: make([]decimal.Decimal, 0, rows)}
}

func (d *decimals) add(v decimal.Decimal) {
	d.values = append(d.values, v)
	if d.err == nil {
		d.err = fits(d.name, v, d.digits, d.places)
	}
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
