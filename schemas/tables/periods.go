package tables

import (
	"time"

	"github.com/reckon-billing/reckon/schemas"
)

// Periods are the reconciliation periods that are billed. They are written, never
// scanned: a coupon or an event that is not there has no place to be scanned into.
func Periods() Table[schemas.Period] { return Table[schemas.Period]{"periods", period} }

func period(p *schemas.Period, c Columns) {
	c.Month("month", &p.Month)
	c.Text("account_id", &p.AccountID)
	c.Text("resource_id", &p.ResourceID)
	c.Instant("period_start", &p.Start)
	c.Integer("run", &p.Run)
	c.Instant("period_end", &p.End)
	c.Text("resource_name", &p.ResourceName)
	c.Word("product", &p.Product)
	c.Word("service", &p.Service)
	c.Word("mode", (*string)(&p.Mode))
	balance := p.Balance
	if balance == nil {
		balance = &noBalance
	}
	c.Text("coupon_code", &balance.Code)
	c.Money("coupon_value", &balance.Value)
	c.Money("coupon_used", &balance.Used)
	c.Text("coupon_source", &balance.Source)
	c.Text("coupon_id", &balance.ID)
	openedBy(&p.OpenedBy, c)
	c.Flag("is_closed", p.ClosedBy != nil)
	if p.ClosedBy != nil {
		closedBy(p.ClosedBy, c)
	} else {
		closedBy(&noEvent, c)
	}
	c.Items(&p.Items, item)
}

// What a period without a coupon has of it, and one that goes on of the event that
// closed it.
//
//nolint:gochecknoglobals // made once, never changed
var (
	noBalance schemas.CouponBalance
	noEvent   = schemas.EventRef{Time: time.Unix(0, 0)}
)

func openedBy(e *schemas.EventRef, c Columns) {
	c.Text("opened_source", &e.Source)
	c.Text("opened_id", &e.ID)
	c.Word("opened_type", (*string)(&e.Type))
	c.Instant("opened_time", &e.Time)
	c.Small("opened_log", &e.Position.Log)
	c.Word("opened_topic", &e.Position.Topic)
	c.Small("opened_partition", &e.Position.Partition)
	c.Integer("opened_offset", &e.Position.Offset)
}

func closedBy(e *schemas.EventRef, c Columns) {
	c.Text("closed_source", &e.Source)
	c.Text("closed_id", &e.ID)
	c.Word("closed_type", (*string)(&e.Type))
	c.Instant("closed_time", &e.Time)
	c.Small("closed_log", &e.Position.Log)
	c.Word("closed_topic", &e.Position.Topic)
	c.Small("closed_partition", &e.Position.Partition)
	c.Integer("closed_offset", &e.Position.Offset)
}

func item(i *schemas.PeriodItem, c Columns) {
	c.Text("item_names", &i.Name)
	c.Text("item_units", &i.Unit)
	c.Quantity("item_unit_prices", &i.UnitPrice)
	c.Quantity("item_quantities", &i.Quantity)
	c.Text("item_meters", (*string)(&i.Meter))
	c.Text("item_pers", (*string)(&i.Per))
	c.Percent("item_discount_percents", &i.DiscountPercent)
	c.Percent("item_tax_percents", &i.TaxPercent)
	c.Quantity("item_free_quantities", &i.FreeQuantity)
	c.Quantity("item_measured", &i.Measured)
	c.Quantity("item_billed", &i.Billed)
	c.Integer("item_usage", &i.Usage)
}

// Edges are the snapshots of what is alive when a month begins.
func Edges() Table[schemas.Snapshot] { return Table[schemas.Snapshot]{"edges", snapshot} }

// Tombstones are the snapshots of what is not.
func Tombstones() Table[schemas.Snapshot] { return Table[schemas.Snapshot]{"tombstones", snapshot} }

func snapshot(s *schemas.Snapshot, c Columns) {
	c.Month("at", &s.At)
	c.Text("account_id", &s.AccountID)
	c.Text("resource_id", &s.ResourceID)
	c.Integer("run", &s.Run)
	c.Text("state", &s.State)
	c.Money("coupon_used", &s.CouponUsed)
	c.Money("coupon_used_before", &s.UsedBefore)
}
