package fold

import (
	"math"
	"time"

	"github.com/reckon-billing/reckon/schemas"
)

// forever is the end of what no event has ended, in milliseconds.
const forever = math.MaxInt64

// span is a stretch of milliseconds in which one configuration was in force and
// the resource was running.
type span struct {
	interval
	*configuration
	opened schemas.EventRef
	closed *schemas.EventRef
	// reopened are those that opened the spans which merge put to this one.
	reopened []schemas.EventRef
}

// configuration is what a running resource is billed by.
type configuration struct {
	life    *life
	items   []schemas.Item
	balance *couponBalance
}

// life goes from created to deleted and on from recovered (contract 2).
type life struct {
	mode                   schemas.Mode
	name, product, service string
	levels                 levels
}

// stretch is a stretch of milliseconds in which a life was alive.
type stretch struct {
	interval
	life *life
}

// folder is the fold of one resource's lifecycle events: the state table of
// contract 3. Hand it the counting events in order.
type folder struct {
	state
	life *life
	// before is the life that Before belongs to.
	before *life

	spans     []span
	stretches []stretch
	anomalies []schemas.Anomaly

	// mark is how much there was of each when Since happened: what a
	// provision_failed takes back to.
	mark struct{ spans, stretches, anomalies int }
}

// startFrom begins at an instant, in milliseconds, from the state that the resource
// has there; of an unknown resource the instant does not matter.
func (f *folder) startFrom(s *state, from int64) {
	f.state = *s
	if s.Before != nil {
		f.before = lifeOf(s.Before)
	}
	if s.Phase == unknown {
		return
	}
	f.life = lifeOf(s)
	if f.alive() {
		f.stretches = append(f.stretches, stretch{interval{from, forever}, f.life})
	}
	if s.Phase == running {
		f.open(from, s.Opened)
	}
}

func lifeOf(s *state) *life {
	return &life{mode: s.Mode, name: s.Name, product: s.Product, service: s.Service, levels: levelsOf(s)}
}

// apply is one step of the state table. accountMode is the account's mode at
// the event's time.
func (f *folder) apply(e *schemas.Event, ref schemas.EventRef, accountMode schemas.Mode) {
	at := e.Time.UnixMilli()
	if reason := f.refusal(e); reason != "" {
		f.anomalous(e, ref, reason)
		return
	}
	switch e.Type {
	case schemas.ResourceCreated:
		f.create(e, ref, at, accountMode)
	case schemas.ResourceRecovered:
		f.recover(e, ref, at)
	case schemas.ResourceResized, schemas.ResourceRenewed:
		if e.Items != nil {
			f.reconfigure(e.Items, ref, at)
		}
	case schemas.ResourceSuspended:
		f.close(at, ref)
		f.Phase = suspended
	case schemas.ResourceResumed:
		f.Phase = running
		f.open(at, ref)
	case schemas.ResourceDeleted:
		f.close(at, ref)
		f.stretches[len(f.stretches)-1].to = at
		f.Phase = deleted
	case schemas.ResourceProvisionFailed:
		f.void()
	case schemas.AccountModeChanged, schemas.UsageRecorded:
		// Not of a resource's lifecycle: the streams keep them apart.
	}
}

// refusal is the reason for which the event cannot apply, empty when it can:
// every pair of state and event is decided here.
func (f *folder) refusal(e *schemas.Event) schemas.Reason {
	switch f.Phase {
	case unknown:
		if e.Type != schemas.ResourceCreated {
			return schemas.UnknownResource
		}
	case deleted:
		if e.Type != schemas.ResourceCreated && e.Type != schemas.ResourceRecovered {
			return schemas.AfterDelete
		}
	case running, suspended:
		return f.refusalAlive(e)
	}
	return ""
}

func (f *folder) refusalAlive(e *schemas.Event) schemas.Reason {
	switch e.Type {
	case schemas.ResourceCreated:
		return schemas.DuplicateCreate
	case schemas.ResourceRecovered:
		return schemas.NoEffect
	case schemas.ResourceRenewed:
		if f.Mode == schemas.Postpaid {
			return schemas.NoEffect
		}
	case schemas.ResourceSuspended:
		if f.Phase == suspended {
			return schemas.NoEffect
		}
	case schemas.ResourceResumed:
		if f.Phase == running {
			return schemas.NoEffect
		}
	case schemas.ResourceProvisionFailed:
		if e.Time.Sub(f.Since) > ProvisionWindow {
			return schemas.TooLate
		}
	case schemas.ResourceResized, schemas.ResourceDeleted, schemas.AccountModeChanged, schemas.UsageRecorded:
	}
	return ""
}

func (f *folder) create(e *schemas.Event, ref schemas.EventRef, at int64, accountMode schemas.Mode) {
	f.remember(e.Time)
	mode := e.Mode
	if mode == "" {
		mode = accountMode
	}
	f.state = state{
		Phase: running, Mode: mode, Name: e.ResourceName, Product: e.Product, Service: e.Service,
		Items: e.Items, Balance: balanceOf(e, mode), Since: e.Time, Before: f.Before,
	}
	f.life = lifeOf(&f.state)
	f.begin(at, ref)
	if mode == schemas.Prepaid && e.Mode == "" && e.ExpiresAt.IsZero() {
		f.anomalous(e, ref, schemas.NoTerm)
	}
}

func (f *folder) recover(e *schemas.Event, ref schemas.EventRef, at int64) {
	f.remember(e.Time)
	f.Phase = running
	f.Since = e.Time
	if e.Items != nil {
		f.Items = e.Items
	}
	if b := balanceOf(e, f.Mode); b != nil {
		f.Balance = b
	}
	f.begin(at, ref)
}

// remember keeps what the resource is now, for a provision_failed to go back to.
func (f *folder) remember(now time.Time) {
	f.before, f.Before = f.life, nil
	if f.Phase != unknown {
		kept := f.state
		f.Before = &kept
	}
	f.Since = now
	f.mark.spans, f.mark.stretches, f.mark.anomalies = len(f.spans), len(f.stretches), len(f.anomalies)
}

// holds tells whether the life would hold the minute of Since, were all since then
// void: whether it paid for it last, and for which items, or, if nobody did, was there
// last.
func (f *folder) holds(l *life) (items []schemas.Item, holds bool) {
	minute := minuteOf(f.Since)
	paid := lastIn(f.spans[:f.mark.spans], minute, func(s *span) *interval { return &s.interval })
	if paid != nil {
		return paid.items, paid.life == l
	}
	there := lastIn(f.stretches[:f.mark.stretches], minute, func(s *stretch) *interval { return &s.interval })
	return nil, there != nil && there.life == l
}

func (f *folder) begin(at int64, ref schemas.EventRef) {
	f.stretches = append(f.stretches, stretch{interval{at, forever}, f.life})
	f.open(at, ref)
}

// void makes everything since the last created or recovered void: the resource
// is again what it was before.
func (f *folder) void() {
	f.spans = f.spans[:f.mark.spans]
	f.stretches = f.stretches[:f.mark.stretches]
	f.anomalies = f.anomalies[:f.mark.anomalies]
	f.life = f.before
	if f.Before == nil {
		f.state = state{}
		return
	}
	f.state = *f.Before
}

// reconfigure puts a new list of items in force; one that is equal closes
// nothing.
func (f *folder) reconfigure(items []schemas.Item, ref schemas.EventRef, at int64) {
	if schemas.EqualItems(items, f.Items) {
		return
	}
	f.Items = items
	if f.Phase == running {
		f.close(at, ref)
		f.open(at, ref)
	}
}

func (f *folder) open(at int64, ref schemas.EventRef) {
	f.Opened = ref
	f.spans = append(f.spans, span{
		interval:      interval{at, forever},
		configuration: &configuration{life: f.life, items: f.Items, balance: f.Balance},
		opened:        ref,
	})
}

// close ends the running span, if there is one.
func (f *folder) close(at int64, ref schemas.EventRef) {
	if f.Phase != running {
		return
	}
	last := &f.spans[len(f.spans)-1]
	last.to, last.closed = at, &ref
}

func (f *folder) anomalous(e *schemas.Event, ref schemas.EventRef, reason schemas.Reason) {
	f.anomalies = append(f.anomalies, schemas.Anomaly{
		AccountID: e.AccountID, ResourceID: e.ResourceID, Event: ref, Reason: reason,
	})
}

// balanceOf is the balance that the event brings. A prepaid life is under none:
// its coupons are for its paid invoices (contract 3).
func balanceOf(e *schemas.Event, mode schemas.Mode) *couponBalance {
	if e.Coupon == nil || mode == schemas.Prepaid {
		return nil
	}
	return &couponBalance{Code: e.Coupon.Code, Value: e.Coupon.Value, Source: e.Source, ID: e.ID}
}

func refOf(e *schemas.Event, position schemas.Position) schemas.EventRef {
	return schemas.EventRef{Source: e.Source, ID: e.ID, Type: e.Type, Time: e.Time, Position: position}
}
