package generate

import (
	"math/bits"
	"math/rand/v2"

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
