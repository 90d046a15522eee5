package fold

import (
	"maps"
	"slices"

	"github.com/shopspring/decimal"

	"github.com/reckon-billing/reckon/schemas"
)

// placer places the usage of one resource, in order, in its lives and periods.
// It holds no usage, only what the meters add up, and walks no list from its begin for
// each of them.
type placer struct {
	stretches []stretch
	pieces    []piece
	// stretch and piece are the first that have not ended, opened is the first piece of
	// which the meters are not open.
	stretch, piece, opened int
	// end is the minute at which the snapshot is taken.
	end int64
	// names are those of all items that a piece meters, once somebody asked.
	names map[string]struct{}
	// before is nil when nothing can be taken back to it.
	before *before
	// by is the event that is placed; nil where nobody asks.
	by *schemas.Level
	// looked counts the entries of lists that were looked at.
	looked int
}

// before is the life that a provision_failed may still take the resource back to, once
// the snapshot is taken. Its levels are kept as they are at the minute from; of that
// minute itself they have the usage if the life holds it then, and pays for the items.
type before struct {
	life   *life
	from   int64
	holds  bool
	items  map[string]struct{}
	levels *levels
}

// place counts one usage event. It returns false for one without a period that
// meters its item.
//
// Who pays for a minute has its usage: a minute of a period is that of the period's
// life; one without a period is that of the life that was the last to touch it.
func (p *placer) place(item string, value Units, minute int64) bool {
	p.openUntil(minute)
	if b := p.before; b != nil && b.holds && minute == b.from {
		_, metered := b.items[item]
		p.note(b.levels, item, level{value, metered, p.by})
	}
	for p.stretch < len(p.stretches) && p.stretches[p.stretch].to <= minute {
		p.looked++
		p.stretch++
	}
	if p.stretch == len(p.stretches) || minute < p.stretches[p.stretch].from {
		return false
	}
	owner := p.stretches[p.stretch].life
	for p.piece < len(p.pieces) && p.pieces[p.piece].to <= minute {
		p.looked++
		p.piece++
	}
	matched := false
	if p.piece < len(p.pieces) && p.pieces[p.piece].from <= minute {
		owner = p.pieces[p.piece].life
		if meter := p.pieces[p.piece].meter(item, &p.looked); meter != nil {
			meter.add(value, minute)
			matched = true
		}
	}
	p.note(&owner.levels, item, level{value, matched, p.by})
	return matched
}

// note notes a level, if it may ever be asked for.
func (p *placer) note(l *levels, item string, value level) {
	if value.metered || l.has(item) || p.meters(item) {
		l.set(item, value)
		return
	}
	l.leftOut = true
}

// meters tells whether any piece meters the item.
func (p *placer) meters(item string) bool {
	if p.names == nil {
		p.names = map[string]struct{}{}
		for i := range p.pieces {
			p.names = namesMetered(p.names, p.pieces[i].items)
		}
		if p.before != nil {
			maps.Copy(p.names, p.before.items)
		}
	}
	_, metered := p.names[item]
	return metered
}

// fewMeters is how many are walked faster than a map is asked.
const fewMeters = 8

// meter is that of the item, nil for none.
func (p *piece) meter(item string, looked *int) *accumulator {
	if len(p.meters) <= fewMeters {
		for i := range p.meters {
			*looked++
			if p.meters[i].item.Name == item {
				return &p.meters[i]
			}
		}
		return nil
	}
	if p.byName == nil {
		p.byName = make(map[string]int, len(p.meters))
		for i := range p.meters {
			*looked++
			p.byName[p.meters[i].item.Name] = i
		}
	}
	if i, metered := p.byName[item]; metered {
		return &p.meters[i]
	}
	return nil
}

// openUntil opens the meters of the pieces that begin up to the minute, with
// the levels that hold there.
func (p *placer) openUntil(minute int64) {
	if b := p.before; b != nil && b.levels == nil && minute >= b.from {
		p.open(b.from - 1)
		b.keep()
	}
	p.open(minute)
}

func (p *placer) open(until int64) {
	for ; p.opened < len(p.pieces) && p.pieces[p.opened].from <= until; p.opened++ {
		p.looked++
		p.pieces[p.opened].startMeters(p.end)
	}
}

// startMeters begins to meter. What is metered from the end on is nothing to the snapshot.
func (p *piece) startMeters(end int64) {
	for i := range p.items {
		item := &p.items[i]
		if item.Meter == schemas.NoMeter {
			continue
		}
		held := p.life.levels.of(item.Name)
		if p.from < end {
			held = p.life.levels.meter(item.Name)
		}
		a := accumulator{item: item, until: p.from, level: held.value, before: held.by}
		p.meters = append(p.meters, a)
	}
}

// keep keeps the levels, once usage reaches the minute from which on it may be void.
func (b *before) keep() {
	b.levels = b.life.levels.clone()
	if b.holds {
		for item := range b.items {
			b.levels.meter(item)
		}
	}
}

// finish opens and keeps what no usage event has reached.
func (p *placer) finish() { p.openUntil(forever - 1) }

// usedBalance is what months before the first derived one used of a balance.
type usedBalance struct {
	source, id string
	used       decimal.Decimal
}

// usedBalances are those of a snapshot.
type usedBalances []usedBalance

func (all usedBalances) fill(b *schemas.CouponBalance) {
	for _, u := range all {
		u.fill(b)
	}
}

func (u usedBalance) fill(b *schemas.CouponBalance) {
	if b != nil && b.Source == u.source && b.ID == u.id {
		b.Used = u.used
	}
}

// periods are the pieces inside the calendar as reconciliation periods with
// their quantities.
func (p *placer) periods(account, resource string, used usedBalances) ([]schemas.Period, error) {
	count := 0
	for i := range p.pieces {
		if !p.pieces[i].month.IsZero() {
			count++
		}
	}
	out := slices.Grow([]schemas.Period(nil), count)
	for i := range p.pieces {
		if p.pieces[i].month.IsZero() {
			continue
		}
		period, err := p.pieces[i].period(account, resource)
		if err != nil {
			return nil, err
		}
		used.fill(period.Balance)
		out = append(out, period)
	}
	allow(out)
	return out, nil
}

func (p *piece) period(account, resource string) (schemas.Period, error) {
	out := schemas.Period{
		AccountID: account, ResourceID: resource,
		ResourceName: p.life.name, Product: p.life.product, Service: p.life.service,
		Month: p.month, Start: timeOf(p.from), End: timeOf(p.to), Mode: p.life.mode,
		Items: make([]schemas.PeriodItem, len(p.items)), OpenedBy: p.opened, ClosedBy: p.closed,
		Reopened: p.reopened,
	}
	if p.balance != nil {
		out.Balance = p.balance.export()
	}
	metered := p.meters
	for i := range p.items {
		item := schemas.PeriodItem{Item: p.items[i], Measured: p.items[i].Quantity}
		if item.Meter != schemas.NoMeter {
			q, err := metered[0].quantity(p.interval)
			if err != nil {
				return schemas.Period{}, err
			}
			item.Measured, item.Usage, item.LevelAtStart = q, metered[0].count, metered[0].levelAtStart()
			metered = metered[1:]
		}
		item.Billed = item.Measured
		if item.Meter != schemas.NoMeter && item.Meter != schemas.Sum && item.Meter != schemas.Count {
			item.Billed = decimal.Max(decimal.Zero, item.Measured.Sub(item.FreeQuantity))
		}
		out.Items[i] = item
	}
	return out, nil
}
