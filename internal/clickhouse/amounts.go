package clickhouse

import "github.com/reckon-billing/reckon/schemas"

// amounts are the four money columns of a line, a header or a seal.
type amounts struct{ beforeTax, taxAmount, couponValue, totalAmount *decimals }

func (s *Store) newAmounts(rows int) amounts {
	return amounts{
		s.money("before_tax", rows), s.money("tax_amount", rows),
		s.money("coupon_value", rows), s.money("total_amount", rows),
	}
}

func (a *amounts) add(v *schemas.Amounts) {
	a.beforeTax.add(v.BeforeTax)
	a.taxAmount.add(v.TaxAmount)
	a.couponValue.add(v.CouponValue)
	a.totalAmount.add(v.TotalAmount)
}

func (a *amounts) err() error {
	return firstError(a.beforeTax, a.taxAmount, a.couponValue, a.totalAmount)
}

func (a *amounts) columns() []any {
	return []any{a.beforeTax.values, a.taxAmount.values, a.couponValue.values, a.totalAmount.values}
}

// scanAmounts is where the four columns are scanned to.
func scanAmounts(a *schemas.Amounts) []any {
	return []any{&a.BeforeTax, &a.TaxAmount, &a.CouponValue, &a.TotalAmount}
}
