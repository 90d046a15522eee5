package audit

import (
	"context"
	"fmt"

	"github.com/reckon-billing/reckon/schemas"
)

// runLog checks the rows of runs and seals: that each run that was sealed is there as it
// was then, and so is the seal of each that must have one. What they say decides what
// all else is derived from.
func (p *proof) runLog(ctx context.Context) error {
	changed, err := p.RunLog.ChangedRuns(ctx)
	if err != nil {
		return err
	}
	for _, c := range changed {
		text := fmt.Sprintf("run %d: %s.%s is stored as %q, which is not what it was sealed with", c.Run, c.Table, c.Column, c.Stored)
		if c.Column == "number" && c.Stored == "" {
			text = fmt.Sprintf("run %d is sealed, but runs has no row of that number", c.Run)
		}
		if err := p.differ("%s", text); err != nil {
			return err
		}
	}
	if len(p.Found) > 0 {
		return nil // the rows may not even be read
	}
	return p.sealsInOrder(ctx)
}

// sealsInOrder checks what must hold between the rows, also of those that were sealed
// before there were proofs of them.
func (p *proof) sealsInOrder(ctx context.Context) error {
	runs, err := p.RunLog.Runs(ctx)
	if err != nil {
		return err
	}
	seals, err := p.RunLog.Seals(ctx)
	if err != nil {
		return err
	}
	sealed := map[int64]schemas.Month{}
	var newest int64
	for _, seal := range seals {
		sealed[seal.Run], newest = seal.Month, max(newest, seal.Run)
	}
	for i, run := range runs {
		month, done := sealed[run.Number]
		first := &runs[0]
		for _, wrong := range []struct {
			is   bool
			text string
		}{
			{!done && run.Number < newest, "has no seal, though a later run has"},
			{done && month != run.Month, "is of month " + run.Month.String() + ", its seal of month " + month.String()},
			{run.FirstMonth != first.FirstMonth, "has first_month " + run.FirstMonth.String() + ", the first run " + first.FirstMonth.String()},
			{run.Currency != first.Currency, "has currency " + run.Currency + ", the first run " + first.Currency},
			{run.Zone != first.Zone, "has zone " + run.Zone + ", the first run " + first.Zone},
			{i > 0 && !within(runs[i-1].Cutoff, run.Cutoff), "has a cutoff that ends before that of the run before it"},
		} {
			if !wrong.is {
				continue
			}
			if err := p.differ("run %d %s", run.Number, wrong.text); err != nil {
				return err
			}
		}
		delete(sealed, run.Number)
	}
	for _, seal := range seals {
		if _, left := sealed[seal.Run]; !left {
			continue
		}
		if err := p.differ("run %d is sealed, but no run of a seal has that number", seal.Run); err != nil {
			return err
		}
	}
	return nil
}

// unknownRuns finds what runs have issued that are not written down.
func (p *proof) unknownRuns(ctx context.Context) error {
	unknown, err := p.RunLog.UnknownRuns(ctx)
	if err != nil {
		return err
	}
	for _, number := range unknown {
		if err := p.differ("run %d has issued or sealed something, but runs has no row of that number", number); err != nil {
			return err
		}
	}
	return nil
}

// within tells whether nothing lies before a cutoff that does not lie before another.
func within(cutoff, other schemas.Cutoff) bool {
	for _, end := range cutoff {
		last := schemas.Position{Log: end.Log, Topic: end.Topic, Partition: end.Partition, Offset: end.End - 1}
		if end.End > 0 && !other.Contains(last) {
			return false
		}
	}
	return true
}
