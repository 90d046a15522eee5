package audit

import (
	"context"
	"time"

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
	// LevelAtStart is the event whose value held when the period began, where that
	// matters (time_weighted); without one the level was 0.
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
	w := weighing{start: p.Start}
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
		w.add(&u)
		return nil
	})
	if err != nil {
		return nil, err
	}
	if x.Events != item.Usage {
		return nil, errNotAsStored
	}
	if item.Meter == schemas.TimeWeighted {
		x.LevelAtStart, err = e.levelAtStart(ctx, p, item, &w)
	}
	return x, err
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

// weighing adds up what time_weighted does, but for the level at the start.
type weighing struct {
	start time.Time
	// gap is the minutes before the first value; sum what the values from there on
	// come to up to until.
	gap   int64
	sum   decimal.Decimal
	level decimal.Decimal
	until int64
	any   bool
}

func (w *weighing) add(u *UsageEvent) {
	minute := int64(u.Time.Sub(w.start) / time.Minute)
	if !w.any {
		w.any, w.gap = true, minute
	} else {
		w.sum = w.sum.Add(w.level.Mul(decimal.NewFromInt(minute - w.until)))
	}
	w.level, w.until = u.Value, minute
}

// measured is the quantity if the level at the start was the given one, as
// contract 2 rounds it.
func (w *weighing) measured(level decimal.Decimal, minutes int64) decimal.Decimal {
	gap, sum := minutes, w.sum
	if w.any {
		gap, sum = w.gap, sum.Add(w.level.Mul(decimal.NewFromInt(minutes-w.until)))
	}
	return sum.Add(level.Mul(decimal.NewFromInt(gap))).DivRound(decimal.NewFromInt(minutes), 9)
}

// levelAtStart finds the event whose value held when the period began: the
// newest earlier one with which the quantity comes out. Values of an earlier life
// or of a void stretch do not hold, and do not fit.
func (e *explainer) levelAtStart(ctx context.Context, p *pricedPeriod, item *schemas.PeriodItem, w *weighing) (*EventText, error) {
	if w.measured(decimal.Zero, p.Minutes()).Equal(item.Measured) {
		return nil, nil
	}
	var newest *EventText
	err := e.one.Usage(ctx, e.run.Cutoff, item.Name, time.Unix(0, 0), p.Start, func(u UsageEvent) error {
		if w.measured(u.Value, p.Minutes()).Equal(item.Measured) {
			newest = e.usageText(&u)
		}
		return nil
	})
	if err == nil && newest == nil {
		return nil, errNotAsStored
	}
	return newest, err
}
