package histories

import (
	"strconv"
	"time"

	"github.com/shopspring/decimal"
	"pgregory.net/rapid"

	"github.com/reckon-billing/reckon/schemas"
)

// Config says where and how large histories are.
type Config struct {
	Zone *time.Location
	// First is the first of the Months around whose edges things happen; some
	// happen before it, some after the last.
	First  schemas.Month
	Months int
	// Accounts, Resources (of all accounts) and Events (of one resource) are at
	// most so many, at least 1.
	Accounts, Resources, Events int
}

// Small is a configuration for the months around a February: two resources of
// one account, up to 14 events each.
func Small(zone *time.Location) Config {
	return Config{
		Zone: zone, First: schemas.Month{Year: 2027, Month: time.January}, Months: 3,
		Accounts: 1, Resources: 2, Events: 14,
	}
}

// Events draws the events of a history, resource by resource, then the mode
// changes of the accounts.
func Events(c Config) *rapid.Generator[[]schemas.Event] {
	return rapid.Custom(func(t *rapid.T) []schemas.Event {
		d := &drawer{Config: c, t: t, taken: map[[2]string]bool{}}
		for n := range rapid.IntRange(1, c.Resources).Draw(t, "resources") {
			account := "a" + strconv.Itoa(rapid.IntRange(1, c.Accounts).Draw(t, "account"))
			// The same resource id in two accounts is two resources.
			d.resource(account, "r"+strconv.Itoa(n/2))
		}
		d.modes()
		return d.events
	})
}

// drawer keeps what is drawn so far.
type drawer struct {
	Config
	t      *rapid.T
	taken  map[[2]string]bool
	events []schemas.Event

	// Of the resource at hand: when its last event was, when it was last created
	// or recovered, whether it is likely alive, and which lists of items it had.
	at, opened time.Time
	alive      bool
	had        [][]schemas.Item
}

func pick[T any](t *rapid.T, label string, of ...T) T {
	return rapid.SampledFrom(of).Draw(t, label)
}

func (d *drawer) chance(label string, ofTen int) bool {
	return rapid.IntRange(1, 10).Draw(d.t, label) <= ofTen
}

// edge is the beginning of one of the months, or of the one after them.
func (d *drawer) edge() time.Time {
	m := d.First
	for range rapid.IntRange(0, d.Months).Draw(d.t, "edge") {
		m = m.Next()
	}
	return m.Start(d.Zone)
}

// near are the distances at which rules change their mind.
func near() []time.Duration {
	return []time.Duration{
		0, 0, 0, time.Millisecond, 999 * time.Millisecond, 10 * time.Second, 29_999 * time.Millisecond, 30 * time.Second,
		59_999 * time.Millisecond, time.Minute, 60_001 * time.Millisecond, 5 * time.Minute,
	}
}

// begin is when a resource's first event is.
func (d *drawer) begin() time.Time {
	away := rapid.SampledFrom(append(near(), 26*time.Hour, 45*24*time.Hour)).Draw(d.t, "away")
	if d.chance("before", 6) {
		away = -away
	}
	return d.edge().Add(away)
}

// pass lets time pass until the resource's next event.
func (d *drawer) pass() {
	switch rapid.IntRange(0, 9).Draw(d.t, "pass") {
	case 0: // to the beginning of the next minute
		d.at = d.at.Truncate(time.Minute).Add(time.Minute)
	case 1: // to a month's edge, or just beside it
		edge := d.edge().Add(pick(d.t, "beside", 0, -time.Millisecond, time.Millisecond, -time.Minute, 30*time.Second))
		if edge.After(d.at) {
			d.at = edge
		}
	case 2:
		d.at = d.at.Add(pick(d.t, "long", time.Hour, 24*time.Hour-time.Millisecond, 24*time.Hour, 24*time.Hour+time.Millisecond,
			10*24*time.Hour, 31*24*time.Hour))
	default:
		d.at = d.at.Add(rapid.SampledFrom(near()).Draw(d.t, "near"))
	}
}

func (d *drawer) resource(account, id string) {
	d.at, d.alive, d.had = d.begin(), false, nil
	for n := range rapid.IntRange(1, d.Events).Draw(d.t, "events") {
		if n > 0 {
			d.pass()
		}
		e := schemas.Event{AccountID: account, ResourceID: id, Type: d.kind()}
		if e.Type == schemas.ResourceProvisionFailed && d.alive && d.chance("edge of void", 5) {
			last := d.opened.Add(24*time.Hour + pick(d.t, "void", -time.Millisecond, 0, time.Millisecond))
			if last.After(d.at) {
				d.at = last
			}
		}
		e.Time = d.at
		d.fill(&e)
		d.add(e)
	}
}

// kind draws mostly what can apply, sometimes anything.
func (d *drawer) kind() schemas.Type {
	switch {
	case d.chance("any", 2):
		return pick(d.t, "type", schemas.ResourceCreated, schemas.ResourceResized, schemas.ResourceRenewed,
			schemas.ResourceSuspended, schemas.ResourceResumed, schemas.ResourceDeleted, schemas.ResourceRecovered,
			schemas.ResourceProvisionFailed, schemas.UsageRecorded)
	case d.alive:
		return pick(d.t, "alive", schemas.UsageRecorded, schemas.UsageRecorded, schemas.UsageRecorded,
			schemas.ResourceResized, schemas.ResourceResized, schemas.ResourceSuspended, schemas.ResourceResumed,
			schemas.ResourceDeleted, schemas.ResourceProvisionFailed, schemas.ResourceRenewed)
	case len(d.had) == 0:
		return schemas.ResourceCreated
	}
	return pick(d.t, "dead", schemas.ResourceRecovered, schemas.ResourceRecovered, schemas.ResourceCreated, schemas.UsageRecorded)
}

// fill draws the data of the event.
func (d *drawer) fill(e *schemas.Event) {
	switch e.Type {
	case schemas.ResourceCreated:
		e.ResourceName, e.Product, e.Service = "Máy chủ "+e.ResourceID, "vServer", "Máy chủ ảo"
		e.Mode = pick(d.t, "mode", "", "", schemas.Postpaid, schemas.Postpaid, schemas.Postpaid, schemas.Prepaid)
		if e.Mode == schemas.Prepaid || d.chance("expires", 2) {
			e.ExpiresAt = e.Time.Add(pick(d.t, "term", time.Millisecond, 30*24*time.Hour))
		}
		e.Items, e.Coupon = d.items(), d.coupon()
		d.alive, d.opened = true, e.Time
	case schemas.ResourceResized:
		e.Items = d.items()
	case schemas.ResourceRenewed:
		e.ExpiresAt = e.Time.Add(30 * 24 * time.Hour)
		if d.chance("renewed items", 5) {
			e.Items = d.items()
		}
		e.Coupon = d.coupon()
	case schemas.ResourceRecovered:
		if d.chance("recovered items", 4) {
			e.Items = d.items()
		}
		e.Coupon = d.coupon()
		d.alive, d.opened = true, e.Time
	case schemas.ResourceDeleted, schemas.ResourceProvisionFailed:
		d.alive = false
	case schemas.UsageRecorded:
		e.Item, e.Value = pick(d.t, "item", "a", "a", "b", "c", "none"), d.number()
	default:
	}
}

// modes gives the accounts mode changes at, or just beside, what happened.
func (d *drawer) modes() {
	resources := len(d.events)
	for n := range d.Accounts {
		for range rapid.IntRange(0, 3).Draw(d.t, "mode changes") {
			beside := d.events[rapid.IntRange(0, resources-1).Draw(d.t, "beside which")].Time
			d.add(schemas.Event{
				AccountID: "a" + strconv.Itoa(n+1), Type: schemas.AccountModeChanged,
				Time:      beside.Add(pick(d.t, "by", 0, -time.Millisecond, time.Millisecond, -30*24*time.Hour)),
				Lifecycle: schemas.Lifecycle{Mode: pick(d.t, "to", schemas.Prepaid, schemas.Postpaid)},
			})
		}
	}
}

// add gives the event an identity that was not taken, and a place among those of
// the same millisecond.
func (d *drawer) add(e schemas.Event) {
	e.Time = e.Time.UTC()
	e.Sequence = pick(d.t, "sequence", int64(0), 0, 0, 1, 2)
	e.Source, e.ID = pick(d.t, "source", "s", "t", "ủ"), pick(d.t, "id", "0", "1", "2", "3")
	for n := 0; d.taken[[2]string{e.Source, e.ID}]; n++ {
		e.ID = pick(d.t, "longer id", "0", "z") + strconv.Itoa(n) + e.ID
	}
	d.taken[[2]string{e.Source, e.ID}] = true
	d.events = append(d.events, e)
}

func (d *drawer) coupon() *schemas.Coupon {
	if d.chance("no coupon", 6) {
		return nil
	}
	return &schemas.Coupon{
		Code:  pick(d.t, "code", "C", "D"),
		Value: decimal.New(pick(d.t, "coupon value", int64(1), 7, 20_000, 1_000_000_000), 0),
	}
}

// number draws a value from those that are hard to sum, to divide or to hold.
func (d *drawer) number() decimal.Decimal {
	return pick(d.t, "number", decimal.New(0, 0), decimal.New(1, 0), decimal.New(10, -1), decimal.New(25, -1), decimal.New(3, 0),
		decimal.New(1, -9), decimal.New(333_333_333, -9), decimal.New(1_000, 0), decimal.New(999_999_999_999_999_999, -9),
		decimal.New(1, 15))
}

// items draws a list, often one that the resource had before, written otherwise.
func (d *drawer) items() []schemas.Item {
	if len(d.had) > 0 && d.chance("same items", 4) {
		again := append([]schemas.Item(nil), rapid.SampledFrom(d.had).Draw(d.t, "again")...)
		for i := range again {
			again[i].UnitPrice = decimal.NewFromBigInt(again[i].UnitPrice.Shift(9).BigInt(), -9)
		}
		return again
	}
	names := rapid.SampledFrom([][]string{{"a"}, {"a"}, {"b"}, {"a", "b"}, {"b", "a"}, {"a", "b", "c"}}).Draw(d.t, "items")
	list := make([]schemas.Item, len(names))
	for i, name := range names {
		list[i] = d.item(name)
	}
	d.had = append(d.had, list)
	return list
}

func (d *drawer) item(name string) schemas.Item {
	i := schemas.Item{
		Name: name, Unit: "GB",
		UnitPrice: pick(d.t, "price", decimal.New(0, 0), decimal.New(43_200, 0), decimal.New(165_000, 0), decimal.New(77, -1),
			decimal.New(1, -9), decimal.New(1, 15)),
		DiscountPercent: pick(d.t, "discount", decimal.New(0, 0), decimal.New(15, 0), decimal.New(333_333, -4), decimal.New(100, 0)),
		TaxPercent:      pick(d.t, "tax", decimal.New(0, 0), decimal.New(8, 0), decimal.New(10, 0)),
		Per:             pick(d.t, "per", schemas.Per30d, schemas.Per30d, schemas.Per1d, schemas.Per1h),
		Meter: pick(d.t, "meter", schemas.NoMeter, schemas.NoMeter, schemas.NoMeter, schemas.Sum, schemas.Sum, schemas.Count,
			schemas.Count, schemas.Max, schemas.Min, schemas.Last, schemas.Avg, schemas.Unique, schemas.TimeWeighted,
			schemas.TimeWeighted),
	}
	if i.Meter == schemas.NoMeter {
		i.Quantity = d.number()
		return i
	}
	if d.chance("per use", 4) {
		i.Per = schemas.PerUse
	}
	i.FreeQuantity = pick(d.t, "free", decimal.New(0, 0), decimal.New(0, 0), decimal.New(1, 0), decimal.New(26, -1), decimal.New(5, 0))
	return i
}
