package clickhouse

import (
	"context"
	"time"

	"github.com/shopspring/decimal"

	"github.com/reckon-billing/reckon/schemas"
)

func (s *Store) writePeriods(ctx context.Context, run int64, all []schemas.Period) error {
	n := len(all)
	var (
		months, accounts, resources = make([]string, n), make([]string, n), make([]string, n)
		starts, ends                = make([]time.Time, n), make([]time.Time, n)
		runs, modes                 = make([]int64, n), make([]string, n)
		names, products, services   = make([]string, n), make([]string, n), make([]string, n)
		balances                    = s.newBalances(n)
		opened, closed              = newRefs(n), newRefs(n)
		isClosed                    = make([]bool, n)
		items                       = newItemLists(n)
	)
	for i := range all {
		p := &all[i]
		months[i], accounts[i], resources[i] = p.Month.String(), p.AccountID, p.ResourceID
		starts[i], ends[i], runs[i], modes[i] = p.Start, p.End, run, string(p.Mode)
		names[i], products[i], services[i] = p.ResourceName, p.Product, p.Service
		balances.add(p.Balance)
		opened.add(&p.OpenedBy)
		isClosed[i] = p.ClosedBy != nil
		closed.add(p.ClosedBy)
		items.add(p.Items)
	}
	if err := firstError(append(items.decimals(), balances.value, balances.used)...); err != nil {
		return err
	}
	columns := append([]any{months, accounts, resources, starts, runs, ends, names, products, services, modes}, balances.columns()...)
	columns = append(append(columns, opened.columns()...), isClosed)
	columns = append(append(columns, closed.columns()...), items.columns()...)
	return s.insert(ctx, "insert_periods", "", columns...)
}

// balances are the coupon columns of periods.
type balances struct {
	codes, sources, ids []string
	value, used         *decimals
}

func (s *Store) newBalances(n int) *balances {
	return &balances{value: s.money("coupon_value", n), used: s.money("coupon_used", n)}
}

func (c *balances) add(b *schemas.Balance) {
	if b == nil {
		b = &schemas.Balance{}
	}
	c.codes, c.sources, c.ids = append(c.codes, b.Code), append(c.sources, b.Source), append(c.ids, b.ID)
	c.value.add(b.Value)
	c.used.add(b.Used)
}

func (c *balances) columns() []any {
	return []any{c.codes, c.value.values, c.used.values, c.sources, c.ids}
}

// refs are the seven columns that name an event; empty where there is none.
type refs struct {
	sources, ids, types, topics []string
	times                       []time.Time
	partitions                  []int32
	offsets                     []int64
}

func newRefs(n int) *refs {
	return &refs{
		make([]string, 0, n), make([]string, 0, n), make([]string, 0, n), make([]string, 0, n),
		make([]time.Time, 0, n), make([]int32, 0, n), make([]int64, 0, n),
	}
}

func (c *refs) add(r *schemas.EventRef) {
	if r == nil {
		r = &schemas.EventRef{Time: time.Unix(0, 0)}
	}
	c.sources, c.ids, c.types = append(c.sources, r.Source), append(c.ids, r.ID), append(c.types, string(r.Type))
	c.times, c.topics = append(c.times, r.Time), append(c.topics, r.Position.Topic)
	c.partitions, c.offsets = append(c.partitions, r.Position.Partition), append(c.offsets, r.Position.Offset)
}

func (c *refs) columns() []any {
	return []any{c.sources, c.ids, c.types, c.times, c.topics, c.partitions, c.offsets}
}

// refLists are the columns that name a list of events.
type refLists struct {
	sources, ids, types, topics [][]string
	times                       [][]time.Time
	partitions                  [][]int32
	offsets                     [][]int64
}

func newRefLists(n int) *refLists {
	return &refLists{
		make([][]string, 0, n), make([][]string, 0, n), make([][]string, 0, n), make([][]string, 0, n),
		make([][]time.Time, 0, n), make([][]int32, 0, n), make([][]int64, 0, n),
	}
}

func (c *refLists) add(list []schemas.EventRef) {
	row := newRefs(len(list))
	for i := range list {
		row.add(&list[i])
	}
	c.sources, c.ids, c.types = append(c.sources, row.sources), append(c.ids, row.ids), append(c.types, row.types)
	c.times, c.topics = append(c.times, row.times), append(c.topics, row.topics)
	c.partitions, c.offsets = append(c.partitions, row.partitions), append(c.offsets, row.offsets)
}

func (c *refLists) columns() []any {
	return []any{c.sources, c.ids, c.types, c.times, c.topics, c.partitions, c.offsets}
}

// itemLists are the item_* columns of periods, an array for each period.
type itemLists struct {
	names, units, meters, pers                                       [][]string
	price, quantity, discount, tax, free, gave, billed               *decimals
	prices, fixed, discounts, taxes, frees, measured, billedByPeriod [][]decimal.Decimal
	usage                                                            [][]int64
}

func newItemLists(n int) *itemLists {
	return &itemLists{
		names: make([][]string, 0, n), units: make([][]string, 0, n), meters: make([][]string, 0, n), pers: make([][]string, 0, n),
		price: quantities("unit_price", 0), quantity: quantities("item_quantity", 0), discount: percents("discount_percent", 0),
		tax: percents("tax_percent", 0), free: quantities("free_quantity", 0), gave: quantities("measured", 0),
		billed: quantities("billed", 0),
	}
}

func (c *itemLists) add(items []schemas.PeriodItem) {
	n := len(items)
	names, units, meters, pers := make([]string, n), make([]string, n), make([]string, n), make([]string, n)
	usage := make([]int64, n)
	for i := range items {
		it := &items[i]
		names[i], units[i], meters[i], pers[i], usage[i] = it.Name, it.Unit, string(it.Meter), string(it.Per), it.Usage
		c.price.add(it.UnitPrice)
		c.quantity.add(it.Quantity)
		c.discount.add(it.DiscountPercent)
		c.tax.add(it.TaxPercent)
		c.free.add(it.FreeQuantity)
		c.gave.add(it.Measured)
		c.billed.add(it.Billed)
	}
	c.names, c.units, c.meters = append(c.names, names), append(c.units, units), append(c.meters, meters)
	c.pers, c.usage = append(c.pers, pers), append(c.usage, usage)
	c.prices, c.fixed = append(c.prices, c.price.take()), append(c.fixed, c.quantity.take())
	c.discounts, c.taxes = append(c.discounts, c.discount.take()), append(c.taxes, c.tax.take())
	c.frees, c.measured = append(c.frees, c.free.take()), append(c.measured, c.gave.take())
	c.billedByPeriod = append(c.billedByPeriod, c.billed.take())
}

func (c *itemLists) decimals() []*decimals {
	return []*decimals{c.price, c.quantity, c.discount, c.tax, c.free, c.gave, c.billed}
}

func (c *itemLists) columns() []any {
	return []any{
		c.names, c.units, c.prices, c.fixed, c.meters, c.pers, c.discounts,
		c.taxes, c.frees, c.measured, c.billedByPeriod, c.usage,
	}
}
