package generate

import (
	"math"
	"math/bits"
	"strconv"
	"time"

	"github.com/reckon-billing/reckon/schemas"
)

// never is when a resource has its next turn at usage that has no more.
const never int64 = math.MaxInt64

// due is when the next thing happens to the resource; false when nothing will.
func (g *Generator) due(i int) (int64, bool) {
	r := &g.resources[i]
	if r.next < len(r.steps) {
		return min(r.steps[r.next].at, r.turn), true
	}
	return r.turn, r.turn != never
}

// usageAt is when the resource has its turn at usage of its present slot: one in
// each equal part of the time, anywhere in it.
func (g *Generator) usageAt(i int) int64 {
	r := &g.resources[i]
	slot := int64(r.slot)
	if r.product == nil || len(r.product.gauges) == 0 || slot >= g.slots {
		return never
	}
	begin, end := g.part(slot), g.part(slot+1)
	return g.from + begin + int64(g.mix(i, r.slot, 0)%uint64(max(1, end-begin)))
}

// part is how far into the whole time the slot begins.
func (g *Generator) part(slot int64) int64 {
	hi, lo := bits.Mul64(uint64(g.to-g.from), uint64(slot))
	quotient, _ := bits.Div64(hi, lo, uint64(g.slots))
	return int64(quotient)
}

// mix is a number drawn for one turn of one resource (splitmix64), so that
// nothing has to be remembered between turns.
func (g *Generator) mix(i, slot, what int) uint64 {
	x := g.Seed + uint64(i)*0x9e3779b97f4a7c15 + uint64(slot)*0xbf58476d1ce4e5b9 + uint64(what)*0x94d049bb133111eb
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// take makes the event that is due; false when the turn passes without one.
func (g *Generator) take(i int) (schemas.Event, bool) {
	r := &g.resources[i]
	if r.next < len(r.steps) && r.steps[r.next].at <= r.turn {
		r.next++
		return g.event(r, r.next-1), true
	}
	at := r.turn
	r.slot++
	r.turn = g.usageAt(i)
	if !r.running {
		return schemas.Event{}, false
	}
	gauge := &r.product.gauges[g.mix(i, r.slot, 1)%uint64(len(r.product.gauges))]
	return r.usage("u"+strconv.Itoa(r.slot), at, gauge, g.mix(i, r.slot, 2)), true
}

func (r *resource) usage(id string, at int64, of *gauge, draw uint64) schemas.Event {
	return schemas.Event{
		Source: r.product.source, ID: r.id + "/" + id, Type: schemas.UsageRecorded,
		AccountID: r.account, ResourceID: r.id, Time: time.UnixMilli(at).UTC(),
		Usage: schemas.Usage{Item: of.item, Value: d(int64(of.low+draw%(of.high-of.low+1)), of.places)},
	}
}

// event makes the event of one planned step.
func (g *Generator) event(r *resource, n int) schemas.Event {
	s := &r.steps[n]
	if s.level {
		return r.usage("level", s.at, &r.product.gauges[0], uint64(s.at))
	}
	e := schemas.Event{
		Type: s.kind, AccountID: r.account, ResourceID: r.id, Time: time.UnixMilli(s.at).UTC(), ID: r.id + "/" + strconv.Itoa(n),
	}
	if s.kind == schemas.AccountModeChanged {
		e.Source, e.ID = "iam.hcm-03", r.account+"/mode/"+strconv.Itoa(n)
		e.Mode = []schemas.Mode{schemas.Prepaid, schemas.Postpaid}[s.size]
		return e
	}
	e.Source = r.product.source
	e.Sequence = int64(n % 5)
	if s.coupon > 0 {
		e.Coupon = &coupons()[s.coupon-1]
	}
	term := time.Duration(30) * 24 * time.Hour
	switch s.kind {
	case schemas.ResourceCreated:
		e.ResourceName, e.Product, e.Service = r.name, r.product.product, r.product.service
		e.Items, e.Mode = terms(r.product.items(s.size), r.discount, r.tax), r.mode
		if r.expires {
			e.ExpiresAt, e.AutoRenew = e.Time.Add(term), s.at%2 == 0
		}
	case schemas.ResourceResized:
		e.Items = terms(r.product.items(s.size), r.discount, r.tax)
	case schemas.ResourceRenewed:
		e.ExpiresAt = e.Time.Add(term + time.Hour)
		if s.size >= 0 {
			e.Items = terms(r.product.items(s.size), r.discount, r.tax)
		}
	default:
	}
	r.running = runsAfter(s.kind, r.running)
	return e
}

// runsAfter tells whether a resource runs after the event.
func runsAfter(kind schemas.Type, before bool) bool {
	switch kind {
	case schemas.ResourceCreated, schemas.ResourceResumed, schemas.ResourceRecovered:
		return true
	case schemas.ResourceSuspended, schemas.ResourceDeleted, schemas.ResourceProvisionFailed:
		return false
	default:
		return before
	}
}

// ran is how long the resource runs between the two instants, in milliseconds.
func (r *resource) ran(from, to int64) int64 {
	var sum int64
	running, since := false, from
	for i := range r.steps {
		at := max(from, r.steps[i].at)
		if running {
			sum += at - since
		}
		running, since = runsAfter(r.steps[i].kind, running), at
	}
	if running {
		sum += to - since
	}
	return sum
}
