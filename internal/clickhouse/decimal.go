package clickhouse

import "github.com/shopspring/decimal"

// decimals gathers a column of decimals and refuses what the column cannot hold
// exactly.
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
	if d.err == nil {
		d.err = fits(d.name, v, d.digits, d.places)
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
