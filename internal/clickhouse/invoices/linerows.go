package invoices

import (
	"cmp"
	"context"

	"github.com/reckon-billing/reckon/internal/clickhouse/column"
	"github.com/reckon-billing/reckon/schemas"
)

func (s *Store) writeLines(ctx context.Context, run int64, all []schemas.Line) error {
	return insertRows(ctx, s, "insert_lines", run, all, func(r *rowSet) table[schemas.Line] { return r.lines })
}

// lineRows are rows of invoice_lines, by column.
type lineRows struct {
	accounts, resources, codes, items, coupons, names column.StringInput
	months, products, services, units, meters, pers   column.LowCardinalityInput
	starts, ends, runs, minutes                       column.Int64s
	places                                            column.Int32s
	price, fixed, free, quantity                      column.Decimal128Input
	discount, tax                                     column.Decimal32Input
	beforeTax, taxAmount, couponValue, totalAmount    column.Decimal256Input

	monthly
}

func newLineRows(digits int32) *lineRows {
	r := &lineRows{
		price: column.Decimal128Input{Places: 9, Name: "unit_price"}, fixed: column.Decimal128Input{Places: 9, Name: "item_quantity"},
		free: column.Decimal128Input{Places: 9, Name: "free_quantity"}, quantity: column.Decimal128Input{Places: 9, Name: "quantity"},
		discount: column.Decimal32Input{Places: 4, Name: "discount_percent"}, tax: column.Decimal32Input{Places: 4, Name: "tax_percent"},
		beforeTax: column.Decimal256Input{Name: "before_tax", Places: digits}, taxAmount: column.Decimal256Input{Name: "tax_amount", Places: digits},
		couponValue: column.Decimal256Input{Name: "coupon_value", Places: digits}, totalAmount: column.Decimal256Input{Name: "total_amount", Places: digits},
	}
	r.all = column.Input{
		{Name: "month", Data: &r.months},
		{Name: "account_id", Data: &r.accounts},
		{Name: "resource_id", Data: &r.resources},
		{Name: "period_start", Data: column.Millis(&r.starts)},
		{Name: "position", Data: &r.places},
		{Name: "run", Data: &r.runs},
		{Name: "invoice_code", Data: &r.codes},
		{Name: "item", Data: &r.items},
		{Name: "coupon_code", Data: &r.coupons},
		{Name: "period_end", Data: column.Millis(&r.ends)},
		{Name: "resource_name", Data: &r.names},
		{Name: "product", Data: &r.products},
		{Name: "service", Data: &r.services},
		{Name: "unit", Data: &r.units},
		{Name: "unit_price", Data: &r.price},
		{Name: "item_quantity", Data: &r.fixed},
		{Name: "meter", Data: &r.meters},
		{Name: "per", Data: &r.pers},
		{Name: "discount_percent", Data: &r.discount},
		{Name: "tax_percent", Data: &r.tax},
		{Name: "free_quantity", Data: &r.free},
		{Name: "minutes", Data: &r.minutes},
		{Name: "quantity", Data: &r.quantity},
		{Name: "before_tax", Data: &r.beforeTax},
		{Name: "tax_amount", Data: &r.taxAmount},
		{Name: "coupon_value", Data: &r.couponValue},
		{Name: "total_amount", Data: &r.totalAmount},
	}
	return r
}

// add refuses a line with a number that a column cannot hold.
func (r *lineRows) add(run int64, l *schemas.Line) error {
	r.months.Add(r.month.of(l.Month))
	r.accounts.Add(l.AccountID)
	r.resources.Add(l.ResourceID)
	r.starts = append(r.starts, l.PeriodStart.UnixMilli())
	r.ends = append(r.ends, l.PeriodEnd.UnixMilli())
	r.places = append(r.places, int32(l.Position)) //nolint:gosec // a place in a list of items
	r.runs = append(r.runs, run)
	r.codes.Add(l.InvoiceCode)
	r.items.Add(l.Item.Name)
	r.coupons.Add(l.CouponCode)
	r.names.Add(l.ResourceName)
	r.products.Add(l.Product)
	r.services.Add(l.Service)
	r.units.Add(l.Item.Unit)
	r.meters.Add(string(l.Item.Meter))
	r.pers.Add(string(l.Item.Per))
	r.minutes = append(r.minutes, l.Minutes)
	return cmp.Or(
		r.price.Add(l.Item.UnitPrice),
		r.fixed.Add(l.Item.Quantity),
		r.free.Add(l.Item.FreeQuantity),
		r.quantity.Add(l.Quantity),
		r.discount.Add(l.Item.DiscountPercent),
		r.tax.Add(l.Item.TaxPercent),
		r.beforeTax.Add(l.BeforeTax),
		r.taxAmount.Add(l.TaxAmount),
		r.couponValue.Add(l.CouponValue),
		r.totalAmount.Add(l.TotalAmount),
	)
}
