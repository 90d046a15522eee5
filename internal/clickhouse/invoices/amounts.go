package invoices

import (
	"github.com/reckon-billing/reckon/schemas"
)

// scanAmounts is where the four columns are scanned to.
func scanAmounts(a *schemas.Amounts) []any {
	return []any{&a.BeforeTax, &a.TaxAmount, &a.CouponValue, &a.TotalAmount}
}
