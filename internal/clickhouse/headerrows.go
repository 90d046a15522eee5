package clickhouse

import (
	"cmp"
	"context"

	"github.com/ClickHouse/ch-go/proto"

	"github.com/reckon-billing/reckon/schemas"
)

func (s *Store) writeInvoices(ctx context.Context, all []schemas.Invoice) error {
	return insertRows(ctx, s, "insert_invoices", 0, all, func(w *writer) table[schemas.Invoice] { return w.headers })
}

// headerRows are rows of invoices, by column.
type headerRows struct {
	months, kinds                                  wordInput
	accounts, resources, codes                     textInput
	runs, created, starts, ends, lines, lateEvents proto.ColInt64
	beforeTax, taxAmount, couponValue, totalAmount moneyInput
	late                                           refListInput

	monthly
}

func newHeaderRows(digits int32) *headerRows {
	r := &headerRows{
		beforeTax: moneyInput{name: "before_tax", places: digits}, taxAmount: moneyInput{name: "tax_amount", places: digits},
		couponValue: moneyInput{name: "coupon_value", places: digits}, totalAmount: moneyInput{name: "total_amount", places: digits},
	}
	r.all = append(proto.Input{
		{Name: "month", Data: &r.months},
		{Name: "account_id", Data: &r.accounts},
		{Name: "resource_id", Data: &r.resources},
		{Name: "code", Data: &r.codes},
		{Name: "kind", Data: &r.kinds},
		{Name: "run", Data: &r.runs},
		{Name: "created_at", Data: millisInput{&r.created}},
		{Name: "period_start", Data: millisInput{&r.starts}},
		{Name: "period_end", Data: millisInput{&r.ends}},
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
	r.months.add(r.month.of(h.Month))
	r.accounts.add(h.AccountID)
	r.resources.add(h.ResourceID)
	r.codes.add(h.Code)
	r.kinds.add(string(h.Kind))
	r.runs = append(r.runs, h.Run)
	r.created = append(r.created, h.CreatedAt.UnixMilli())
	r.starts = append(r.starts, h.PeriodStart.UnixMilli())
	r.ends = append(r.ends, h.PeriodEnd.UnixMilli())
	r.lines = append(r.lines, int64(h.Lines))
	r.lateEvents = append(r.lateEvents, h.LateEvents)
	r.late.add(h.Late)
	return cmp.Or(
		r.beforeTax.add(h.BeforeTax), r.taxAmount.add(h.TaxAmount), r.couponValue.add(h.CouponValue), r.totalAmount.add(h.TotalAmount),
	)
}

// refListInput are seven columns that name each event of a list, an array for
// each list.
type refListInput struct {
	sources, ids, types, topics textInput
	times, offsets              proto.ColInt64
	partitions                  proto.ColInt32
	lists                       []*listInput
}

func (c *refListInput) input(prefix string) proto.Input {
	var all proto.Input
	for _, column := range []struct {
		name   string
		values resettable
	}{
		{"sources", &c.sources},
		{"ids", &c.ids},
		{"types", &c.types},
		{"times", millisInput{&c.times}},
		{"topics", &c.topics},
		{"partitions", &c.partitions},
		{"offsets", &c.offsets},
	} {
		list := &listInput{values: column.values}
		c.lists = append(c.lists, list)
		all = append(all, proto.InputColumn{Name: prefix + column.name, Data: list})
	}
	return all
}

func (c *refListInput) add(events []schemas.EventRef) {
	for i := range events {
		r := &events[i]
		c.sources.add(r.Source)
		c.ids.add(r.ID)
		c.types.add(string(r.Type))
		c.times = append(c.times, r.Time.UnixMilli())
		c.topics.add(r.Position.Topic)
		c.partitions = append(c.partitions, r.Position.Partition)
		c.offsets = append(c.offsets, r.Position.Offset)
	}
	for _, list := range c.lists {
		list.end()
	}
}
