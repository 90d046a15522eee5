package runs

import (
	"github.com/shopspring/decimal"

	"github.com/reckon-billing/reckon/internal/clickhouse/column"
	"github.com/reckon-billing/reckon/schemas"
)

// amounts are the four columns of money, with one row.
func (s *Store) amounts(a *schemas.Amounts) (column.Input, error) {
	var all column.Input
	for _, of := range []struct {
		name  string
		value decimal.Decimal
	}{
		{"before_tax", a.BeforeTax}, {"tax_amount", a.TaxAmount}, {"coupon_value", a.CouponValue}, {"total_amount", a.TotalAmount},
	} {
		c := &column.Decimal256Input{Name: of.name, Places: s.digits}
		if err := c.Add(of.value); err != nil {
			return nil, err
		}
		all = append(all, column.InputColumn{Name: of.name, Data: c})
	}
	return all, nil
}

// scanAmounts is where the four columns are scanned to.
func scanAmounts(a *schemas.Amounts) []any {
	return []any{&a.BeforeTax, &a.TaxAmount, &a.CouponValue, &a.TotalAmount}
}
