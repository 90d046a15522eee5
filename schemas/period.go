package schemas

import (
	"time"

	"github.com/shopspring/decimal"
)

// Period is a reconciliation period: a stretch of one resource under one
// unchanged configuration, clipped to one billing month (contract 1 and 3).
type Period struct {
	AccountID, ResourceID          string
	ResourceName, Product, Service string
	// Month is the billing month that the period was clipped to.
	Month Month
	// Run is the number of the run that billed it.
	Run int64
	// Start and End are UTC instants at whole minutes, [Start, End), Start < End.
	Start, End time.Time
	// Mode is that of the resource's life: prepaid quantity items are excluded
	// from month-end lines.
	Mode Mode
	// Balance is the coupon balance that the period is under, nil for none. A
	// prepaid period is under none.
	Balance *CouponBalance
	// Items are in configuration order.
	Items []PeriodItem
	// OpenedBy is the event that put the configuration in force. ClosedBy is the
	// event that ended it, nil while it goes on past the month.
	OpenedBy EventRef
	ClosedBy *EventRef
	// Reopened are the events that opened it again where another had ended it, without a
	// minute between. They are not stored; a period that is derived from a snapshot has
	// the last of them before it as OpenedBy.
	Reopened []EventRef
}

// Minutes is the length of the period.
func (p *Period) Minutes() int64 { return int64(p.End.Sub(p.Start) / time.Minute) }

// PeriodItem is one item of a period with the quantity that the formula
// multiplies.
type PeriodItem struct {
	Item
	// Measured is what the meter gave; for a fixed quantity, that quantity.
	Measured decimal.Decimal
	// Billed is Measured less the allowance, never below 0.
	Billed decimal.Decimal
	// Usage counts the usage events that were measured.
	Usage int64
	// LevelAtStart is the event whose value held when the period began, of time_weighted
	// where it held for any minute; nil for none, and where it was not asked for. It is
	// not stored.
	LevelAtStart *Level
}

// Level is a usage event whose value holds until the next.
type Level struct {
	EventRef
	Value decimal.Decimal
}

// CouponBalance is a coupon of one event, of which earlier months may have used part.
type CouponBalance struct {
	Coupon
	// Source and ID are the identity of the event that brought the coupon.
	Source, ID string
	// Used is what the lines of the months before the first that is derived
	// together with this period have used of it.
	Used decimal.Decimal
}

// Snapshot is all that a later month needs to know of a resource: its state at the
// instant when the month At begins. A resource with a snapshot needs no older event.
type Snapshot struct {
	AccountID string
	// ResourceID is empty for the state of the account itself (its mode).
	ResourceID string
	// At is the month that begins here.
	At Month
	// Run is the number of the run that wrote it.
	Run int64
	// Deleted marks the state of a resource that is not alive: it is written
	// once, in the month it died, and looked up only when an event arrives.
	Deleted bool
	// State is the fold's own encoding.
	State string
	// Balance is the coupon balance in the state, nil for none, with what months
	// before the derived ones used of it. It is not stored: the state holds it.
	Balance *CouponBalance
	// CouponUsed is what the lines before At used of that balance; whoever prices
	// the lines fills it in.
	CouponUsed decimal.Decimal
	// Before and UsedBefore are the same of what the resource is again if a
	// provision_failed makes the state void.
	Before     *CouponBalance
	UsedBefore decimal.Decimal
}
