package generate

import (
	"math"
	"math/bits"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/reckon-billing/reckon/schemas"
)

// Generator makes the lines of one configuration, one after another.
type Generator struct {
	Config
	rng    *rand.Rand
	truth  Truth
	faults []fault
	// resources are what is going to happen; turns says to whom next.
	resources []resource
	turns     turns
	// slots is how many turns at usage each metered resource has in all, also
	// those that pass because it does not run.
	slots, from, to int64
	// way are the lines that may be overtaken; arrived are those that are out, of
	// which the first so many are given.
	way, arrived []Line
	given        int
	// late are the events that wait for the next seal.
	late []Line
	// month is the month to be sealed next, monthEnd its end.
	month    schemas.Month
	monthEnd int64
	sealed   int
	strays   int64
}

// New plans the whole history; the lines are made by Next.
func New(c Config) (*Generator, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	last := c.First
	for range c.Months - 1 {
		last = last.Next()
	}
	g := &Generator{
		Config: c, rng: rand.New(rand.NewPCG(c.Seed, 2)), faults: faults(),
		truth: Truth{Faults: map[string]int64{}},
		from:  c.First.Start(c.Zone).UnixMilli(), to: last.End(c.Zone).UnixMilli(),
		month: c.First, monthEnd: c.First.End(c.Zone).UnixMilli(),
	}
	g.plan()
	return g, nil
}

// plan draws all accounts and resources and puts each in the queue.
func (g *Generator) plan() {
	p := &planner{Config: g.Config, from: g.from, to: g.to, rng: rand.New(rand.NewPCG(g.Seed, 1)), catalog: catalog()}
	prepaid := make([]bool, g.Accounts)
	g.resources = make([]resource, 0, g.Accounts+g.Resources)
	for i := range g.Accounts {
		var a resource
		a, prepaid[i] = p.account(i)
		g.resources = append(g.resources, a)
	}
	var ran, whole int64
	for i := range g.Resources {
		n := p.rng.IntN(g.Accounts)
		r := p.resource(i, g.resources[n].account, prepaid[n])
		if len(r.product.gauges) > 0 {
			ran, whole = ran+r.ran(g.from, g.to), whole+g.to-g.from
		}
		g.resources = append(g.resources, r)
	}
	if whole > 0 && g.Usage > 0 {
		// Most turns must not pass in vain, also when hardly anything runs.
		ran = max(ran, whole/4)
		hi, lo := bits.Mul64(uint64(g.to-g.from), uint64(g.Usage))
		quotient, _ := bits.Div64(hi, lo, uint64(ran))
		g.slots = int64(quotient) + 1
	}
	for i := range g.resources {
		g.resources[i].turn = g.usageAt(i)
		if at, ok := g.due(i); ok {
			g.turns.push(turn{at, int32(i)})
		}
	}
}

// Truth counts the lines that Next has given.
func (g *Generator) Truth() Truth { return g.truth }

// Next is the next line; false after the last.
func (g *Generator) Next() (Line, bool) {
	for g.given == len(g.arrived) {
		switch {
		case len(g.turns) > 0 && (g.turns[0].at < g.monthEnd || g.sealed == g.Months-1):
			g.happen()
		case g.arriveOne():
		case g.sealed < g.Months:
			g.seal()
		default:
			return Line{}, false
		}
	}
	l := g.arrived[g.given]
	g.given++
	g.truth.count(&l)
	return l, true
}

// happen lets the next thing happen in the cloud and sends it on its way.
func (g *Generator) happen() {
	t := g.turns[0]
	e, ok := g.take(int(t.of))
	if at, more := g.due(int(t.of)); more {
		g.turns.replace(turn{at, t.of})
	} else {
		g.turns.pop()
	}
	if !ok {
		return
	}
	l := Line{Bytes: AppendEvent(make([]byte, 0, 320), &e), Kind: Stored, Event: e}
	if g.sealed < g.Months-1 && g.hit(g.Noise.Late) && len(g.late) < MaxLate {
		l.Late = true
		g.late = append(g.late, l)
		return
	}
	g.send(l)
}

// send puts a line on its way; the one in whose place it comes arrives.
func (g *Generator) send(l Line) {
	if len(g.way) < g.Noise.Window {
		g.way = append(g.way, l)
		return
	}
	if g.Noise.Window > 0 {
		i := g.rng.IntN(len(g.way))
		g.way[i], l = l, g.way[i]
	}
	g.arrive(l)
}

// arriveOne lets one of the lines on their way arrive; false when there is none.
func (g *Generator) arriveOne() bool {
	n := len(g.way)
	if n == 0 {
		return false
	}
	i := g.rng.IntN(n)
	l := g.way[i]
	g.way[i] = g.way[n-1]
	g.way = g.way[:n-1]
	g.arrive(l)
	return true
}

// arrive gives the line out. Noise follows only what has arrived, so that the
// first copy in the file is always the event itself.
func (g *Generator) arrive(l Line) {
	if g.given == len(g.arrived) {
		g.given, g.arrived = 0, g.arrived[:0]
	}
	g.arrived = append(g.arrived, l)
	if l.Kind == Stored {
		g.disturb(&l)
	}
}

// seal gives out the directive and, after it, the events that are late for it.
func (g *Generator) seal() {
	g.arrive(Line{Bytes: []byte(`{"seal":"` + g.month.String() + `"}`), Kind: Seal, Month: g.month})
	g.sealed++
	g.month = g.month.Next()
	g.monthEnd = g.month.End(g.Zone).UnixMilli()
	late := g.late
	g.late = nil
	for _, l := range late {
		g.send(l)
	}
}

func (g *Generator) hit(rate int) bool { return rate > 0 && g.rng.IntN(perEvents) < rate }

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
		Item: of.item, Value: d(int64(of.low+draw%(of.high-of.low+1)), of.places),
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
