package oracle

import (
	"math"
	"math/big"
	"time"

	"github.com/reckon-billing/reckon/schemas"
)

// forever stands for the end, in milliseconds, of what has not ended.
const forever int64 = math.MaxInt64

// voidWithin is how long after its last created or recovered a resource can
// still fail to be provisioned (contract 3).
const voidWithin = 24 * time.Hour

// life is what goes from created to deleted, and on from recovered.
type life struct {
	created *Copy
	mode    schemas.Mode
}

// balance is the coupon of one event; left is what no line has used yet, in the
// currency's minor unit.
type balance struct {
	schemas.Coupon
	left *big.Int
}

// stretch is a time of one life in which nothing about it changed, in
// milliseconds, [from, to).
type stretch struct {
	from, to int64
	status
}

// status is what a resource is at a moment. Without a life it is unknown.
type status struct {
	life *life
	// alive: created or recovered, and not deleted since. running: alive and not
	// suspended.
	alive, running bool
	items          []schemas.Item
	// coupon is nil for none and for prepaid.
	coupon *balance
}

// anomaly is an event that cannot apply.
type anomaly struct {
	of  *Copy
	why schemas.Reason
}

// history is what became of one resource.
type history struct {
	stretches []stretch
	anomalies []anomaly
	usage     []*Copy

	now   status
	since int64
	// What the resource was before its last created or recovered, and when that
	// was: what provision_failed brings back.
	before                           status
	opened                           time.Time
	stretchesBefore, anomaliesBefore int
}

// follow applies the events of one resource, in order, one by one. The mode
// changes are those of its account, in order.
func follow(events, modes []*Copy) history {
	h := history{}
	for _, e := range events {
		switch {
		case e.Type == schemas.UsageRecorded:
			h.usage = append(h.usage, e)
		case h.now.life == nil:
			h.whileUnknown(e, modes)
		case !h.now.alive:
			h.whileDeleted(e, modes)
		default:
			h.whileAlive(e)
		}
	}
	if h.now.alive {
		h.stretches = append(h.stretches, stretch{h.since, forever, h.now})
	}
	return h
}

func (h *history) whileUnknown(e *Copy, modes []*Copy) {
	if e.Type == schemas.ResourceCreated {
		h.create(e, modes)
		return
	}
	h.refuse(e, schemas.UnknownResource)
}

func (h *history) whileDeleted(e *Copy, modes []*Copy) {
	switch e.Type {
	case schemas.ResourceCreated:
		h.create(e, modes)
	case schemas.ResourceRecovered:
		h.recover(e)
	default:
		h.refuse(e, schemas.AfterDelete)
	}
}

func (h *history) whileAlive(e *Copy) {
	next := h.now
	switch e.Type {
	case schemas.ResourceCreated:
		h.refuse(e, schemas.DuplicateCreate)
		return
	case schemas.ResourceResized:
		next.items = e.Items
	case schemas.ResourceRenewed:
		if h.now.life.mode == schemas.Postpaid {
			h.refuse(e, schemas.NoEffect)
			return
		}
		if e.Items != nil {
			next.items = e.Items
		}
	case schemas.ResourceSuspended:
		if !h.now.running {
			h.refuse(e, schemas.NoEffect)
			return
		}
		next.running = false
	case schemas.ResourceResumed:
		if h.now.running {
			h.refuse(e, schemas.NoEffect)
			return
		}
		next.running = true
	case schemas.ResourceDeleted:
		next.alive, next.running = false, false
	case schemas.ResourceProvisionFailed:
		h.fail(e)
		return
	default: // recovered
		h.refuse(e, schemas.NoEffect)
		return
	}
	h.become(e, next)
}

// create begins a new life.
func (h *history) create(e *Copy, modes []*Copy) {
	h.remember(e)
	mode := e.Mode
	if mode == "" {
		mode = inherited(modes, e.Time)
		if mode == schemas.Prepaid && e.ExpiresAt.IsZero() {
			h.refuse(e, schemas.NoTerm)
		}
	}
	l := &life{created: e, mode: mode}
	h.become(e, status{life: l, alive: true, running: true, items: e.Items, coupon: couponOf(e, l)})
}

// inherited is the account's mode: of its changes whose time is not later, the
// last; prepaid when there is none.
func inherited(modes []*Copy, at time.Time) schemas.Mode {
	mode := schemas.Prepaid
	for _, m := range modes {
		if !m.Time.After(at) {
			mode = m.Mode
		}
	}
	return mode
}

// recover lets a deleted life go on, running, with its last configuration or
// the one that the event brings; likewise the coupon.
func (h *history) recover(e *Copy) {
	h.remember(e)
	next := h.now
	next.alive, next.running = true, true
	if e.Items != nil {
		next.items = e.Items
	}
	if c := couponOf(e, next.life); c != nil {
		next.coupon = c
	}
	h.become(e, next)
}

// couponOf is the balance that an event brings to a life; a prepaid one is under
// no coupon.
func couponOf(e *Copy, l *life) *balance {
	if e.Coupon == nil || l.mode == schemas.Prepaid {
		return nil
	}
	return &balance{Coupon: *e.Coupon}
}

// fail makes everything since the last created or recovered void, unless it
// comes too late.
func (h *history) fail(e *Copy) {
	if e.Time.Sub(h.opened) > voidWithin {
		h.refuse(e, schemas.TooLate)
		return
	}
	h.now = h.before
	h.stretches = h.stretches[:h.stretchesBefore]
	h.anomalies = h.anomalies[:h.anomaliesBefore]
}

// remember keeps what the resource is before a created or recovered takes effect.
func (h *history) remember(e *Copy) {
	h.before, h.opened = h.now, e.Time
	h.stretchesBefore, h.anomaliesBefore = len(h.stretches), len(h.anomalies)
}

// become ends the present stretch at the event and begins the next.
func (h *history) become(e *Copy, next status) {
	at := e.Time.UnixMilli()
	if h.now.alive {
		h.stretches = append(h.stretches, stretch{h.since, at, h.now})
	}
	h.now, h.since = next, at
}

func (h *history) refuse(e *Copy, why schemas.Reason) {
	h.anomalies = append(h.anomalies, anomaly{e, why})
}
