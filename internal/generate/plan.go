package generate

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"time"

	"github.com/shopspring/decimal"

	"github.com/reckon-billing/reckon/schemas"
)

const (
	minuteMs = int64(time.Minute / time.Millisecond)
	hourMs   = 60 * minuteMs
	dayMs    = 24 * hourMs
)

// historyDays is how long before the first month resources may have been created.
const historyDays = 180

// step is one event that is going to happen to a resource or an account.
type step struct {
	at   int64
	kind schemas.Type
	size int
	// coupon is one more than the place in the list of coupons; 0 for none.
	coupon int
	// level makes the step a first usage value of a gauge.
	level bool
}

// resource is one resource, or (with no product) an account: what will happen
// to it and how far that is.
type resource struct {
	id, account, name string
	product           *product
	discount, tax     decimal.Decimal
	// mode is what created says; expires tells whether it names a term.
	mode    schemas.Mode
	expires bool
	steps   []step
	// next is the step to come; running tells whether usage is recorded now.
	next    int
	running bool
	// slot counts the turns at usage that have passed, turn is when the next is.
	slot int
	turn int64
}

// coupons are the codes on offer and their values in đồng.
func coupons() []schemas.Coupon {
	return []schemas.Coupon{
		{Code: "TET2026", Value: d(20_000, 0)},
		{Code: "CHÀO-BẠN-MỚI", Value: d(100_000, 0)},
		{Code: "doanh,nghiệp", Value: d(1_500_000, 0)},
		{Code: "HE-1", Value: d(1, 0)},
	}
}

// planner draws the histories.
type planner struct {
	Config
	// from and to are the sealed months, in milliseconds.
	from, to int64
	rng      *rand.Rand
	catalog  []product
}

func (p *planner) chance(ofHundred int) bool { return p.rng.IntN(100) < ofHundred }

func (p *planner) between(from, to int64) int64 { return from + p.rng.Int64N(to-from) }

// account plans an account's mode changes and says whether it begins prepaid.
func (p *planner) account(n int) (resource, bool) {
	a := resource{account: "acc-" + strconv.Itoa(100_000+n)}
	if n%7 == 3 {
		a.account = "công-ty-" + strconv.Itoa(n)
	}
	begin := p.from - (historyDays+20)*dayMs + int64(n%1000)*minuteMs
	switch {
	case p.chance(80):
		a.steps = append(a.steps, step{at: begin, kind: schemas.AccountModeChanged, size: 1})
		if p.chance(5) {
			a.steps = append(a.steps, step{at: p.between(p.from, p.to), kind: schemas.AccountModeChanged, size: 0})
		}
		return a, false
	case p.chance(50):
		a.steps = append(a.steps, step{at: begin, kind: schemas.AccountModeChanged, size: 0})
	}
	return a, true // prepaid, said or by default
}

// resource plans one resource's life, or lives.
func (p *planner) resource(n int, account string, prepaid bool) resource {
	r := resource{account: account, product: p.pick()}
	r.id = r.product.prefix + "-" + strconv.Itoa(n)
	if n%41 == 5 {
		r.id = "tài-nguyên/" + strconv.Itoa(n)
	}
	r.name = r.product.names[p.rng.IntN(len(r.product.names))]
	r.discount = []decimal.Decimal{d(0, 0), d(0, 0), d(0, 0), d(10, 0), d(25, 0), d(50, 0), d(125, 1), d(100, 0)}[p.rng.IntN(8)]
	r.tax = []decimal.Decimal{d(10, 0), d(10, 0), d(8, 0)}[p.rng.IntN(3)]
	r.expires = prepaid && !p.chance(5)
	if p.chance(10) {
		prepaid = p.chance(50)
		r.mode, r.expires = schemas.Postpaid, false
		if prepaid {
			r.mode, r.expires = schemas.Prepaid, true
		}
	}

	born := p.from - p.between(hourMs, historyDays*dayMs)
	if p.chance(40) {
		born = p.between(p.from, p.to)
	}
	p.live(&r, born)
	if prepaid {
		p.renew(&r, born)
	}
	r.steps = slices.DeleteFunc(r.steps, func(s step) bool { return s.at >= p.to })
	return r
}

func (p *planner) pick() *product {
	n := p.rng.IntN(100)
	for i := range p.catalog {
		if n -= p.catalog[i].share; n < 0 {
			return &p.catalog[i]
		}
	}
	return &p.catalog[0]
}

// live plans from the creation to the end of what is asked for.
func (p *planner) live(r *resource, born int64) {
	then := func(at int64, kind schemas.Type, size, coupon int) {
		r.steps = append(r.steps, step{at: at, kind: kind, size: size, coupon: coupon})
	}
	size, coupon := p.rng.IntN(sizes), 0
	if p.chance(12) {
		coupon = 1 + p.rng.IntN(len(coupons()))
	}
	then(born, schemas.ResourceCreated, size, coupon)
	if len(r.product.gauges) > 0 {
		r.steps = append(r.steps, step{at: born + p.between(0, minuteMs), level: true})
	}
	at := born
	if p.chance(2) {
		at += p.between(minuteMs, 10*hourMs)
		then(at, schemas.ResourceProvisionFailed, 0, 0)
		if !p.chance(50) {
			return
		}
		at += p.between(1_000, 2*hourMs)
		then(at, schemas.ResourceCreated, size, coupon)
	}
	for {
		at += p.between(hourMs, 90*dayMs)
		if at >= p.to {
			return
		}
		switch n := p.rng.IntN(100); {
		case n < 40:
			size = p.rng.IntN(sizes)
			then(at, schemas.ResourceResized, size, 0)
		case n < 50: // cannot decide: several changes in a minute
			for range 2 + p.rng.IntN(3) {
				size = p.rng.IntN(sizes)
				then(at, schemas.ResourceResized, size, 0)
				at += p.between(0, minuteMs/3)
			}
		case n < 75:
			then(at, schemas.ResourceSuspended, 0, 0)
			at += p.between(1_000, 5*dayMs)
			then(at, schemas.ResourceResumed, 0, 0)
		default:
			then(at, schemas.ResourceDeleted, 0, 0)
			var goesOn bool
			if at, goesOn = p.afterlife(at, size, then); !goesOn {
				return
			}
		}
	}
}

// afterlife plans what comes after a deletion: nothing, a recovery (of which some
// fail), or a new resource of the same name.
func (p *planner) afterlife(at int64, size int, then func(int64, schemas.Type, int, int)) (int64, bool) {
	switch n := p.rng.IntN(100); {
	case n < 30:
		at += p.between(1_000, 10*dayMs)
		coupon := 0
		if p.chance(20) {
			coupon = 1 + p.rng.IntN(len(coupons()))
		}
		then(at, schemas.ResourceRecovered, 0, coupon)
		if !p.chance(15) {
			return at, true
		}
		at += p.between(1_000, 23*hourMs)
		then(at, schemas.ResourceProvisionFailed, 0, 0)
	case n < 40:
		at += p.between(1_000, 2*hourMs)
		then(at, schemas.ResourceCreated, size, 0)
		return at, true
	}
	return at, false
}

// renew adds a renewal every 30 days of the first life.
func (p *planner) renew(r *resource, born int64) {
	end := slices.IndexFunc(r.steps, func(s step) bool {
		return s.kind == schemas.ResourceDeleted || s.kind == schemas.ResourceProvisionFailed
	})
	until := p.to
	if end >= 0 {
		until = r.steps[end].at
	}
	for at := born + 30*dayMs - hourMs; at < until; at += 30 * dayMs {
		s := step{at: at, kind: schemas.ResourceRenewed, size: -1}
		if p.chance(10) {
			s.size = p.rng.IntN(sizes)
		}
		r.steps = append(r.steps, s)
	}
	slices.SortStableFunc(r.steps, func(a, b step) int { return int(max(-1, min(1, a.at-b.at))) })
}
