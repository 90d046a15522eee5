package fold

import (
	"time"

	"github.com/shopspring/decimal"

	"github.com/reckon-billing/reckon/schemas"
)

// phase is what a resource is at an instant.
type phase string

const (
	unknown   phase = ""
	running   phase = "running"
	suspended phase = "suspended"
	deleted   phase = "deleted"
)

// state is all that later events of a resource need to know of earlier ones. It is
// what a snapshot carries, see encode: a field of it that is to be remembered has a
// number there.
type state struct {
	Phase phase
	// Mode, Name, Product and Service are those of the life.
	Mode                   schemas.Mode
	Name, Product, Service string
	// Items is the last configuration, also while suspended or deleted.
	Items   []schemas.Item
	Balance *couponBalance
	// Since is the last created or recovered: a provision_failed at most 24 hours
	// after it makes everything since void.
	Since time.Time
	// Opened is the event that put the running configuration in force.
	Opened schemas.EventRef
	// Levels are the last values of the items in this life (contract 2,
	// time_weighted) that were metered at some instant at which they had one. LeftOut
	// tells that there were values of other items too.
	Levels  map[string]decimal.Decimal
	LeftOut bool
	// Before is what the resource was before Since; nil when it was unknown, or
	// when no provision_failed can go back to it: a deleted one has none.
	Before *state

	// foreign tells that the snapshot has fields that this program does not know, older
	// that it is of a form in which there were levels of all items.
	foreign, older bool
}

// couponBalance names a coupon balance: the coupon and the event that brought it.
type couponBalance struct {
	Code       string
	Value      decimal.Decimal
	Source, ID string
}

func (b *couponBalance) export() *schemas.CouponBalance {
	return &schemas.CouponBalance{Coupon: schemas.Coupon{Code: b.Code, Value: b.Value}, Source: b.Source, ID: b.ID}
}

func (s *state) alive() bool { return s.Phase == running || s.Phase == suspended }

// ProvisionWindow is how long after created or recovered a provision_failed
// makes them void (contract 3).
const ProvisionWindow = 24 * time.Hour

// forget drops what no provision_failed from an instant on can go back to: what is
// deleted cannot fail any more, and what was before it was deleted too, or unknown.
func (s *state) forget(from time.Time) {
	switch {
	case !s.alive() || from.Sub(s.Since) > ProvisionWindow:
		s.Before = nil
	case s.Before != nil && s.Before.Before != nil:
		before := *s.Before
		before.Before = nil
		s.Before = &before
	}
}
