package invoices

import (
	"cmp"
	"context"

	"github.com/reckon-billing/reckon/internal/clickhouse/column"
	"github.com/reckon-billing/reckon/schemas"
)

func (s *Store) writeInvoices(ctx context.Context, all []schemas.Invoice) error {
	return insertRows(ctx, s, "insert_invoices", 0, all, func(r *rowSet) table[schemas.Invoice] { return r.headers })
}

// headerRows are rows of invoices, by column.
type headerRows struct {
	months, kinds                                  column.LowCardinalityInput
	accounts, resources, codes                     column.StringInput
	runs, created, starts, ends, lines, lateEvents column.Int64s
	beforeTax, taxAmount, couponValue, totalAmount column.Decimal256Input
	late                                           refListInput

	monthly
}

func newHeaderRows(digits int32) *headerRows {
	r := &headerRows{
		beforeTax: column.Decimal256Input{Name: "before_tax", Places: digits}, taxAmount: column.Decimal256Input{Name: "tax_amount", Places: digits},
		couponValue: column.Decimal256Input{Name: "coupon_value", Places: digits}, totalAmount: column.Decimal256Input{Name: "total_amount", Places: digits},
	}
	r.all = append(column.Input{
		{Name: "month", Data: &r.months},
		{Name: "account_id", Data: &r.accounts},
		{Name: "resource_id", Data: &r.resources},
		{Name: "code", Data: &r.codes},
		{Name: "kind", Data: &r.kinds},
		{Name: "run", Data: &r.runs},
		{Name: "created_at", Data: column.Millis(&r.created)},
		{Name: "period_start", Data: column.Millis(&r.starts)},
		{Name: "period_end", Data: column.Millis(&r.ends)},
		{Name: "lines", Data: &r.lines},
		{Name: "before_tax", Data: &r.beforeTax},
		{Name: "tax_amount", Data: &r.taxAmount},
		{Name: "coupon_value", Data: &r.couponValue},
		{Name: "total_amount", Data: &r.totalAmount},
		{Name: "late_events", Data: &r.lateEvents},
	}, r.late.input("late_")...)
	return r
}

// add refuses a header with a number that a column cannot hold.
func (r *headerRows) add(_ int64, h *schemas.Invoice) error {
	r.months.Add(r.month.of(h.Month))
	r.accounts.Add(h.AccountID)
	r.resources.Add(h.ResourceID)
	r.codes.Add(h.Code)
	r.kinds.Add(string(h.Kind))
	r.runs = append(r.runs, h.Run)
	r.created = append(r.created, h.CreatedAt.UnixMilli())
	r.starts = append(r.starts, h.PeriodStart.UnixMilli())
	r.ends = append(r.ends, h.PeriodEnd.UnixMilli())
	r.lines = append(r.lines, int64(h.Lines))
	r.lateEvents = append(r.lateEvents, h.LateEvents)
	r.late.add(h.Late)
	return cmp.Or(
		r.beforeTax.Add(h.BeforeTax), r.taxAmount.Add(h.TaxAmount), r.couponValue.Add(h.CouponValue), r.totalAmount.Add(h.TotalAmount),
	)
}

// refListInput are seven columns that name each event of a list, an array for
// each list.
type refListInput struct {
	sources, ids, types, topics column.StringInput
	times, offsets              column.Int64s
	partitions                  column.Int32s
	lists                       []*column.ArrayInput
}

func (c *refListInput) input(prefix string) column.Input {
	var all column.Input
	for _, of := range []struct {
		name   string
		values column.Resettable
	}{
		{"sources", &c.sources},
		{"ids", &c.ids},
		{"types", &c.types},
		{"times", column.Millis(&c.times)},
		{"topics", &c.topics},
		{"partitions", &c.partitions},
		{"offsets", &c.offsets},
	} {
		list := &column.ArrayInput{Values: of.values}
		c.lists = append(c.lists, list)
		all = append(all, column.InputColumn{Name: prefix + of.name, Data: list})
	}
	return all
}

func (c *refListInput) add(events []schemas.EventRef) {
	for i := range events {
		r := &events[i]
		c.sources.Add(r.Source)
		c.ids.Add(r.ID)
		c.types.Add(string(r.Type))
		c.times = append(c.times, r.Time.UnixMilli())
		c.topics.Add(r.Position.Topic)
		c.partitions = append(c.partitions, r.Position.Partition)
		c.offsets = append(c.offsets, r.Position.Offset)
	}
	for _, list := range c.lists {
		list.End()
	}
}
