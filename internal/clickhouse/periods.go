package clickhouse

import (
	"cmp"
	"context"
	"time"

	"github.com/ClickHouse/ch-go/proto"

	"github.com/reckon-billing/reckon/schemas"
)

func (s *Store) writePeriods(ctx context.Context, run int64, all []schemas.Period) error {
	return insertRows(ctx, s, "insert_periods", run, all, func(w *writer) table[schemas.Period] { return w.periods })
}

// periodRows are rows of periods, by column.
type periodRows struct {
	accounts, resources, names, coupons, couponSources, couponIDs textInput
	months, products, services, modes                             wordInput
	starts, ends, runs                                            proto.ColInt64
	couponValue, couponUsed                                       moneyInput
	opened, closed                                                refInput
	isClosed                                                      proto.ColBool
	items                                                         itemInput

	monthly
}

func newPeriodRows(digits int32) *periodRows {
	r := &periodRows{
		couponValue: moneyInput{name: "coupon_value", places: digits}, couponUsed: moneyInput{name: "coupon_used", places: digits},
	}
	r.all = proto.Input{
		{Name: "month", Data: &r.months},
		{Name: "account_id", Data: &r.accounts},
		{Name: "resource_id", Data: &r.resources},
		{Name: "period_start", Data: millisInput{&r.starts}},
		{Name: "run", Data: &r.runs},
		{Name: "period_end", Data: millisInput{&r.ends}},
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
	r.months.add(r.month.of(p.Month))
	r.accounts.add(p.AccountID)
	r.resources.add(p.ResourceID)
	r.starts = append(r.starts, p.Start.UnixMilli())
	r.ends = append(r.ends, p.End.UnixMilli())
	r.runs = append(r.runs, run)
	r.names.add(p.ResourceName)
	r.products.add(p.Product)
	r.services.add(p.Service)
	r.modes.add(string(p.Mode))
	var balance schemas.CouponBalance
	if p.Balance != nil {
		balance = *p.Balance
	}
	r.coupons.add(balance.Code)
	r.couponSources.add(balance.Source)
	r.couponIDs.add(balance.ID)
	r.opened.add(&p.OpenedBy)
	r.isClosed = append(r.isClosed, p.ClosedBy != nil)
	r.closed.add(p.ClosedBy)
	return cmp.Or(r.couponValue.add(balance.Value), r.couponUsed.add(balance.Used), r.items.add(p.Items))
}

// refInput are the seven columns that name an event; empty where there is none.
type refInput struct {
	sources, ids   textInput
	types, topics  wordInput
	times, offsets proto.ColInt64
	partitions     proto.ColInt32
}

func (c *refInput) input(prefix string) proto.Input {
	return proto.Input{
		{Name: prefix + "source", Data: &c.sources},
		{Name: prefix + "id", Data: &c.ids},
		{Name: prefix + "type", Data: &c.types},
		{Name: prefix + "time", Data: millisInput{&c.times}},
		{Name: prefix + "topic", Data: &c.topics},
		{Name: prefix + "partition", Data: &c.partitions},
		{Name: prefix + "offset", Data: &c.offsets},
	}
}

func (c *refInput) add(r *schemas.EventRef) {
	if r == nil {
		r = &schemas.EventRef{Time: time.Unix(0, 0)}
	}
	c.sources.add(r.Source)
	c.ids.add(r.ID)
	c.types.add(string(r.Type))
	c.times = append(c.times, r.Time.UnixMilli())
	c.topics.add(r.Position.Topic)
	c.partitions = append(c.partitions, r.Position.Partition)
	c.offsets = append(c.offsets, r.Position.Offset)
}

// itemInput are the item_* columns of periods, an array for each period.
type itemInput struct {
	names, units, meters, pers              textInput
	price, quantity, free, measured, billed quantityInput
	discount, tax                           percentInput
	usage                                   proto.ColInt64
	lists                                   []*listInput
}

func (c *itemInput) input() proto.Input {
	c.price.name, c.quantity.name, c.free.name = "unit_price", "item_quantity", "free_quantity"
	c.measured.name, c.billed.name = "measured", "billed"
	c.discount.name, c.tax.name = "discount_percent", "tax_percent"
	var all proto.Input
	for _, column := range []struct {
		name   string
		values resettable
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
		list := &listInput{values: column.values}
		c.lists = append(c.lists, list)
		all = append(all, proto.InputColumn{Name: "item_" + column.name, Data: list})
	}
	return all
}

func (c *itemInput) add(items []schemas.PeriodItem) error {
	for i := range items {
		it := &items[i]
		c.names.add(it.Name)
		c.units.add(it.Unit)
		c.meters.add(string(it.Meter))
		c.pers.add(string(it.Per))
		c.usage = append(c.usage, it.Usage)
		err := cmp.Or(
			c.price.add(it.UnitPrice), c.quantity.add(it.Quantity), c.free.add(it.FreeQuantity),
			c.measured.add(it.Measured), c.billed.add(it.Billed),
			c.discount.add(it.DiscountPercent), c.tax.add(it.TaxPercent),
		)
		if err != nil {
			return err
		}
	}
	for _, list := range c.lists {
		list.end()
	}
	return nil
}
