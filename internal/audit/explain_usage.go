package audit

import (
	"context"

	"github.com/shopspring/decimal"

	"github.com/reckon-billing/reckon/schemas"
)

// UsageExplanation is how usage became a quantity (contract 2).
type UsageExplanation struct {
	Meter string `json:"meter"`
	// Events counts them; First and Last are the outermost; List has all, or none
	// where there are too many and they were not asked for.
	Events int64       `json:"events"`
	First  *EventText  `json:"first,omitempty"`
	Last   *EventText  `json:"last,omitempty"`
	List   []EventText `json:"list,omitempty"`
	// LevelAtStart is the event whose value held when the period began, where it held for
	// any minute (time_weighted); without one the level was 0.
	LevelAtStart *EventText `json:"level_at_start,omitempty"`
	// Measured is what the meter gave. FreeQuantity is the allowance, of which
	// FreeUsedBefore went to older periods of the month and FreeTaken to this one.
	Measured       string `json:"measured"`
	FreeQuantity   string `json:"free_quantity"`
	FreeUsedBefore string `json:"free_used_before"`
	FreeTaken      string `json:"free_taken"`
	Billed         string `json:"billed"`
}

// fewEvents are listed without being asked for.
const fewEvents = 10

// usage explains the quantity of a metered item.
func (e *explainer) usage(ctx context.Context, p *pricedPeriod, item *schemas.PeriodItem) (*UsageExplanation, error) {
	free, before := e.allowance(p, item)
	x := &UsageExplanation{
		Meter: string(item.Meter), Measured: schemas.FormatDecimal(item.Measured), Billed: schemas.FormatDecimal(item.Billed),
		FreeQuantity: schemas.FormatDecimal(free), FreeUsedBefore: schemas.FormatDecimal(before),
		FreeTaken: schemas.FormatDecimal(item.Measured.Sub(item.Billed)),
	}
	err := e.one.Usage(ctx, e.run.Cutoff, item.Name, p.Start, p.End, func(u UsageEvent) error {
		if e.unmatched[u.Position] {
			return nil
		}
		x.Events++
		event := e.usageText(&u)
		if x.First == nil {
			x.First = event
		}
		x.Last = event
		if e.all || x.Events <= fewEvents {
			x.List = append(x.List, *event)
		} else {
			x.List = nil
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if x.Events != item.Usage {
		return nil, errNotAsStored
	}
	if l := item.LevelAtStart; l != nil {
		x.LevelAtStart = e.usageText(&UsageEvent{l.EventRef, l.Value})
	}
	return x, nil
}

func (e *explainer) usageText(u *UsageEvent) *EventText {
	event := e.eventText(&u.EventRef)
	event.Value = schemas.FormatDecimal(u.Value)
	return event
}

// allowance is the free quantity that the period has a part in, and how much of
// it older periods of the month used. For sum and count it is one a month, the
// largest of its periods; for the other meters one a period.
func (e *explainer) allowance(p *pricedPeriod, item *schemas.PeriodItem) (free, before decimal.Decimal) {
	if item.Meter != schemas.Sum && item.Meter != schemas.Count {
		return item.FreeQuantity, decimal.Zero
	}
	for i := range e.periods {
		for j := range e.periods[i].Items {
			o := &e.periods[i].Items[j]
			if o.Name != item.Name || o.Meter != schemas.Sum && o.Meter != schemas.Count {
				continue
			}
			free = decimal.Max(free, o.FreeQuantity)
			if e.periods[i].Start.Before(p.Start) {
				before = before.Add(o.Measured.Sub(o.Billed))
			}
		}
	}
	return free, before
}
