package clickhouse

import (
	"cmp"
	"context"

	"github.com/ClickHouse/ch-go/proto"

	"github.com/reckon-billing/reckon/schemas"
)

func (s *Store) writeLines(ctx context.Context, run int64, all []schemas.Line) error {
	return insertRows(ctx, s, "insert_lines", run, all, func(w *writer) table[schemas.Line] { return w.lines })
}

// lineRows are rows of invoice_lines, by column.
type lineRows struct {
	accounts, resources, codes, items, coupons, names textInput
	months, products, services, units, meters, pers   wordInput
	starts, ends, runs, minutes                       proto.ColInt64
	places                                            proto.ColInt32
	price, fixed, free, quantity                      quantityInput
	discount, tax                                     percentInput
	beforeTax, taxAmount, couponValue, totalAmount    moneyInput

	monthly
}

func newLineRows(digits int32) *lineRows {
	r := &lineRows{
		price: quantityInput{name: "unit_price"}, fixed: quantityInput{name: "item_quantity"},
		free: quantityInput{name: "free_quantity"}, quantity: quantityInput{name: "quantity"},
		discount: percentInput{name: "discount_percent"}, tax: percentInput{name: "tax_percent"},
		beforeTax: moneyInput{name: "before_tax", places: digits}, taxAmount: moneyInput{name: "tax_amount", places: digits},
		couponValue: moneyInput{name: "coupon_value", places: digits}, totalAmount: moneyInput{name: "total_amount", places: digits},
	}
	r.all = proto.Input{
		{Name: "month", Data: &r.months},
		{Name: "account_id", Data: &r.accounts},
		{Name: "resource_id", Data: &r.resources},
		{Name: "period_start", Data: millisInput{&r.starts}},
		{Name: "position", Data: &r.places},
		{Name: "run", Data: &r.runs},
		{Name: "invoice_code", Data: &r.codes},
		{Name: "item", Data: &r.items},
		{Name: "coupon_code", Data: &r.coupons},
		{Name: "period_end", Data: millisInput{&r.ends}},
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
	r.months.add(r.month.of(l.Month))
	r.accounts.add(l.AccountID)
	r.resources.add(l.ResourceID)
	r.starts = append(r.starts, l.PeriodStart.UnixMilli())
	r.ends = append(r.ends, l.PeriodEnd.UnixMilli())
	r.places = append(r.places, int32(l.Position)) //nolint:gosec // a place in a list of items
	r.runs = append(r.runs, run)
	r.codes.add(l.InvoiceCode)
	r.items.add(l.Item.Name)
	r.coupons.add(l.CouponCode)
	r.names.add(l.ResourceName)
	r.products.add(l.Product)
	r.services.add(l.Service)
	r.units.add(l.Item.Unit)
	r.meters.add(string(l.Item.Meter))
	r.pers.add(string(l.Item.Per))
	r.minutes = append(r.minutes, l.Minutes)
	return cmp.Or(
		r.price.add(l.Item.UnitPrice),
		r.fixed.add(l.Item.Quantity),
		r.free.add(l.Item.FreeQuantity),
		r.quantity.add(l.Quantity),
		r.discount.add(l.Item.DiscountPercent),
		r.tax.add(l.Item.TaxPercent),
		r.beforeTax.add(l.BeforeTax),
		r.taxAmount.add(l.TaxAmount),
		r.couponValue.add(l.CouponValue),
		r.totalAmount.add(l.TotalAmount),
	)
}
