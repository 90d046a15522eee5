package invoices

import (
	"cmp"
	"context"
	"time"

	"github.com/reckon-billing/reckon/internal/clickhouse/column"
	"github.com/reckon-billing/reckon/schemas"
)

func (s *Store) writePeriods(ctx context.Context, run int64, all []schemas.Period) error {
	return insertRows(ctx, s, "insert_periods", run, all, func(r *rowSet) table[schemas.Period] { return r.periods })
}

// periodRows are rows of periods, by column.
type periodRows struct {
	accounts, resources, names, coupons, couponSources, couponIDs column.StringInput
	months, products, services, modes                             column.LowCardinalityInput
	starts, ends, runs                                            column.Int64s
	couponValue, couponUsed                                       column.Decimal256Input
	opened, closed                                                refInput
	isClosed                                                      column.Bools
	items                                                         itemInput

	monthly
}

func newPeriodRows(digits int32) *periodRows {
	r := &periodRows{
		couponValue: column.Decimal256Input{Name: "coupon_value", Places: digits}, couponUsed: column.Decimal256Input{Name: "coupon_used", Places: digits},
	}
	r.all = column.Input{
		{Name: "month", Data: &r.months},
		{Name: "account_id", Data: &r.accounts},
		{Name: "resource_id", Data: &r.resources},
		{Name: "period_start", Data: column.Millis(&r.starts)},
		{Name: "run", Data: &r.runs},
		{Name: "period_end", Data: column.Millis(&r.ends)},
		{Name: "resource_name", Data: &r.names},
		{Name: "product", Data: &r.products},
		{Name: "service", Data: &r.services},
		{Name: "mode", Data: &r.modes},
		{Name: "coupon_code", Data: &r.coupons},
		{Name: "coupon_value", Data: &r.couponValue},
		{Name: "coupon_used", Data: &r.couponUsed},
		{Name: "coupon_source", Data: &r.couponSources},
		{Name: "coupon_id", Data: &r.couponIDs},
		{Name: "is_closed", Data: &r.isClosed},
	}
	r.all = append(append(r.all, r.opened.input("opened_")...), r.closed.input("closed_")...)
	r.all = append(r.all, r.items.input()...)
	return r
}

// add refuses a period with a number that a column cannot hold.
func (r *periodRows) add(run int64, p *schemas.Period) error {
	r.months.Add(r.month.of(p.Month))
	r.accounts.Add(p.AccountID)
	r.resources.Add(p.ResourceID)
	r.starts = append(r.starts, p.Start.UnixMilli())
	r.ends = append(r.ends, p.End.UnixMilli())
	r.runs = append(r.runs, run)
	r.names.Add(p.ResourceName)
	r.products.Add(p.Product)
	r.services.Add(p.Service)
	r.modes.Add(string(p.Mode))
	var balance schemas.CouponBalance
	if p.Balance != nil {
		balance = *p.Balance
	}
	r.coupons.Add(balance.Code)
	r.couponSources.Add(balance.Source)
	r.couponIDs.Add(balance.ID)
	r.opened.add(&p.OpenedBy)
	r.isClosed = append(r.isClosed, p.ClosedBy != nil)
	r.closed.add(p.ClosedBy)
	return cmp.Or(r.couponValue.Add(balance.Value), r.couponUsed.Add(balance.Used), r.items.add(p.Items))
}

// refInput are the seven columns that name an event; empty where there is none.
type refInput struct {
	sources, ids   column.StringInput
	types, topics  column.LowCardinalityInput
	times, offsets column.Int64s
	partitions     column.Int32s
}

func (c *refInput) input(prefix string) column.Input {
	return column.Input{
		{Name: prefix + "source", Data: &c.sources},
		{Name: prefix + "id", Data: &c.ids},
		{Name: prefix + "type", Data: &c.types},
		{Name: prefix + "time", Data: column.Millis(&c.times)},
		{Name: prefix + "topic", Data: &c.topics},
		{Name: prefix + "partition", Data: &c.partitions},
		{Name: prefix + "offset", Data: &c.offsets},
	}
}

func (c *refInput) add(r *schemas.EventRef) {
	if r == nil {
		r = &schemas.EventRef{Time: time.Unix(0, 0)}
	}
	c.sources.Add(r.Source)
	c.ids.Add(r.ID)
	c.types.Add(string(r.Type))
	c.times = append(c.times, r.Time.UnixMilli())
	c.topics.Add(r.Position.Topic)
	c.partitions = append(c.partitions, r.Position.Partition)
	c.offsets = append(c.offsets, r.Position.Offset)
}

// itemInput are the item_* columns of periods, an array for each period.
type itemInput struct {
	names, units, meters, pers              column.StringInput
	price, quantity, free, measured, billed column.Decimal128Input
	discount, tax                           column.Decimal32Input
	usage                                   column.Int64s
	lists                                   []*column.ArrayInput
}

func (c *itemInput) input() column.Input {
	for of, name := range map[*column.Decimal128Input]string{
		&c.price: "unit_price", &c.quantity: "item_quantity", &c.free: "free_quantity", &c.measured: "measured", &c.billed: "billed",
	} {
		of.Name, of.Places = name, 9
	}
	c.discount.Name, c.discount.Places = "discount_percent", 4
	c.tax.Name, c.tax.Places = "tax_percent", 4
	var all column.Input
	for _, of := range []struct {
		name   string
		values column.Resettable
	}{
		{"names", &c.names},
		{"units", &c.units},
		{"unit_prices", &c.price},
		{"quantities", &c.quantity},
		{"meters", &c.meters},
		{"pers", &c.pers},
		{"discount_percents", &c.discount},
		{"tax_percents", &c.tax},
		{"free_quantities", &c.free},
		{"measured", &c.measured},
		{"billed", &c.billed},
		{"usage", &c.usage},
	} {
		list := &column.ArrayInput{Values: of.values}
		c.lists = append(c.lists, list)
		all = append(all, column.InputColumn{Name: "item_" + of.name, Data: list})
	}
	return all
}

func (c *itemInput) add(items []schemas.PeriodItem) error {
	for i := range items {
		it := &items[i]
		c.names.Add(it.Name)
		c.units.Add(it.Unit)
		c.meters.Add(string(it.Meter))
		c.pers.Add(string(it.Per))
		c.usage = append(c.usage, it.Usage)
		err := cmp.Or(
			c.price.Add(it.UnitPrice), c.quantity.Add(it.Quantity), c.free.Add(it.FreeQuantity),
			c.measured.Add(it.Measured), c.billed.Add(it.Billed),
			c.discount.Add(it.DiscountPercent), c.tax.Add(it.TaxPercent),
		)
		if err != nil {
			return err
		}
	}
	for _, list := range c.lists {
		list.End()
	}
	return nil
}
