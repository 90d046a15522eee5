package fold

import (
	"slices"

	"github.com/shopspring/decimal"

	"github.com/reckon-billing/reckon/schemas"
)

// placer places the usage of one resource, in order, in its lives and periods.
// It holds no usage, only what the meters add up.
type placer struct {
	stretches []stretch
	pieces    []piece
	// next is the first stretch and the first piece that have not ended.
	stretch, piece int

	// From the minute of snapFrom on a provision_failed may still take the
	// resource back to before: the levels of snapOf at that minute are kept, and
	// those in it too if snapHolds, as snapOf then holds it.
	snapOf    *life
	snapFrom  int64
	snapHolds bool
	snapped   *levels
}

// place counts one usage event. It returns false for one without a period that
// meters its item.
//
// Who pays for a minute has its usage: a minute of a period is that of the period's
// life; one without a period is that of the life that was the last to touch it.
func (p *placer) place(item string, value Units, minute int64) bool {
	p.openUntil(minute)
	if p.snap(minute); p.snapHolds && minute == p.snapFrom {
		p.snapped.set(item, value)
	}
	for p.stretch < len(p.stretches) && p.stretches[p.stretch].to <= minute {
		p.stretch++
	}
	if p.stretch == len(p.stretches) || minute < p.stretches[p.stretch].from {
		return false
	}
	owner := p.stretches[p.stretch].life
	for p.piece < len(p.pieces) && p.pieces[p.piece].to <= minute {
		p.piece++
	}
	matched := false
	if p.piece < len(p.pieces) && p.pieces[p.piece].from <= minute {
		owner = p.pieces[p.piece].life
		matched = p.pieces[p.piece].measure(item, value, minute)
	}
	owner.levels.set(item, value)
	return matched
}

func (p *piece) measure(item string, value Units, minute int64) bool {
	for i := range p.meters {
		if p.meters[i].item.Name == item {
			p.meters[i].add(value, minute)
			return true
		}
	}
	return false
}

// openUntil opens the meters of the pieces that begin up to the minute, with
// the levels that hold there.
func (p *placer) openUntil(minute int64) {
	for i := p.piece; i < len(p.pieces) && p.pieces[i].from <= minute; i++ {
		if !p.pieces[i].metering {
			p.pieces[i].startMeters()
		}
	}
}

func (p *piece) startMeters() {
	p.metering = true
	for i := range p.items {
		item := &p.items[i]
		if item.Meter != schemas.NoMeter {
			p.meters = append(p.meters, accumulator{item: item, level: p.life.levels.of(item.Name), until: p.from})
		}
	}
}

// snap keeps the levels of the life before, once usage reaches the minute from
// which on it may be void.
func (p *placer) snap(minute int64) {
	if p.snapOf != nil && p.snapped == nil && minute >= p.snapFrom {
		p.snapped = p.snapOf.levels.clone()
	}
}

// end opens and snaps what no usage event has reached.
func (p *placer) end() {
	p.openUntil(forever - 1)
	p.snap(forever)
}

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
			item.Measured, item.Usage = q, metered[0].count
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
