package generate

import (
	"strconv"
	"time"

	"github.com/reckon-billing/reckon/schemas"
)

// disturb sends after an event what its arrival calls forth: copies, poison, and
// events that cannot apply.
func (g *Generator) disturb(l *Line) {
	if g.hit(g.Noise.Duplicates) {
		g.send(Line{Bytes: append([]byte(nil), l.Bytes...), Kind: Duplicate, Event: l.Event})
	}
	if g.hit(g.Noise.Respelled) {
		g.send(Line{Bytes: speller{g.rng}.event(&l.Event), Kind: Duplicate, Event: l.Event})
	}
	if g.hit(g.Noise.Conflicts) {
		e := g.conflicting(&l.Event)
		g.send(Line{Bytes: AppendEvent(nil, &e), Kind: Conflicting, Event: e})
	}
	if g.hit(g.Noise.Poison) {
		g.send(g.poisoned(&l.Event))
	}
	if !l.Misplaced && g.hit(g.Noise.Anomalies) {
		e := g.misplaced(&l.Event)
		g.send(Line{Bytes: AppendEvent(nil, &e), Kind: Stored, Event: e, Misplaced: true})
	}
}

// conflicting is a copy of the event that says something else.
func (g *Generator) conflicting(e *schemas.Event) schemas.Event {
	c := *e
	switch {
	case g.rng.IntN(3) == 0:
		c.Time = e.Time.Add(-time.Duration(1+g.rng.Int64N(hourMs)) * time.Millisecond)
	case e.Type == schemas.UsageRecorded:
		c.Value = e.Value.Add(d(1+g.rng.Int64N(1_000), 0))
	case e.Items != nil:
		c.Items = append([]schemas.Item(nil), e.Items...)
		c.Items[0].UnitPrice = e.Items[0].UnitPrice.Add(d(1, 9))
	default:
		c.Sequence++
	}
	return c
}

// poisoned is a line that cannot be read, under the identity of the event or
// one of its own.
func (g *Generator) poisoned(e *schemas.Event) Line {
	c := schemas.Event{
		Source: e.Source, ID: e.ID, Type: schemas.UsageRecorded, AccountID: e.AccountID, ResourceID: e.ResourceID,
		Time: e.Time, Usage: schemas.Usage{Item: "capacity", Value: d(15, 1)},
	}
	if c.ResourceID == "" {
		c.ResourceID = "srv-none"
	}
	if g.rng.IntN(2) == 0 {
		c.ID = g.strayID()
	}
	f := g.faults[g.rng.IntN(len(g.faults))]
	return Line{Bytes: f.make(&c, g.rng), Kind: Rejected, Fault: f.reason}
}

func (g *Generator) strayID() string {
	g.strays++
	return "stray-" + strconv.FormatInt(g.strays, 10)
}

// misplaced is a whole event that cannot apply where it comes.
func (g *Generator) misplaced(e *schemas.Event) schemas.Event {
	c := schemas.Event{
		Source: e.Source, ID: g.strayID(), AccountID: e.AccountID, ResourceID: e.ResourceID,
		Time: e.Time.Add(time.Duration(g.rng.Int64N(minuteMs)) * time.Millisecond),
	}
	switch n := g.rng.IntN(5); {
	case n == 0 || e.ResourceID == "": // of a resource that nobody created
		c.Type, c.ResourceID = schemas.ResourceSuspended, "srv-ghost-"+strconv.Itoa(g.rng.IntN(100))
	case n == 1: // of an item that nobody prices
		c.Type, c.Item, c.Value = schemas.UsageRecorded, "snapshots_old", d(7, 0)
	case e.Type == schemas.ResourceDeleted:
		c.Type = schemas.ResourceSuspended
	case n == 2: // created again while alive
		c.Type, c.Mode = schemas.ResourceCreated, schemas.Postpaid
		c.ResourceName, c.Product, c.Service = "Máy chủ trùng tên", "vServer", "Máy chủ ảo"
		c.Items = []schemas.Item{fixed("vcpu", "vCPU", 60_500, 1, schemas.Per30d)}
	default: // running already
		c.Type = schemas.ResourceResumed
	}
	return c
}
