package audit

import (
	"context"
)

// pairing finds, for each row that is not stored as it must be, the row that is stored
// instead: the one that looks most like it.
type pairing struct {
	*proof
	lost   []*lostRow
	strays []*strayRow
}

// lostRow is a row that must be stored and is not.
type lostRow struct {
	// what names it, asSays says what it is made of.
	what, asSays string
	want         []Value
	// elsewhere are rows that stand where other rows may stand as well.
	elsewhere func(context.Context) ([][]Value, error)
	// gone tells of it when there is no row that looks like it; found is the one that
	// does.
	gone  func() error
	found []Value
}

// strayRow is a row that nothing says must be stored; tell tells of it when it looks
// like none that is missing.
type strayRow struct {
	values []Value
	told   bool
	tell   func() error
}

// mostPaired bounds what waits to be paired: what is told has its bound too.
const mostPaired = 5 * mostDifferences

func (p *pairing) lose(row *lostRow) error {
	p.lost = append(p.lost, row)
	return p.enough()
}

func (p *pairing) astray(row *strayRow) error {
	p.strays = append(p.strays, row)
	return p.enough()
}

func (p *pairing) enough() error {
	if len(p.lost)+len(p.strays) < mostPaired {
		return nil
	}
	p.More = true
	return errEnough
}

// tell pairs what is lost with what is stored instead, those first that differ least,
// and names the columns that differ; then it tells of what is left of both.
func (p *pairing) tell(ctx context.Context) error {
	p.match(1)
	for _, lost := range p.lost {
		if lost.found != nil {
			continue
		}
		if err := p.lookElsewhere(ctx, lost); err != nil {
			return err
		}
	}
	p.match(mostDifferences)
	for _, lost := range p.lost {
		tell := lost.gone
		if lost.found != nil {
			tell = func() error { return p.columns(lost.what, lost.found, lost.want, lost.asSays) }
		}
		if err := tell(); err != nil {
			return err
		}
	}
	for _, s := range p.strays {
		if s.told {
			continue
		}
		if err := s.tell(); err != nil {
			return err
		}
	}
	return nil
}

// match pairs rows that differ in so many columns at most, and have most in common.
func (p *pairing) match(most int) {
	for differing := 1; differing <= most; differing++ {
		for _, lost := range p.lost {
			if lost.found != nil || differing >= max(2, len(lost.want)/3) {
				continue
			}
			for _, s := range p.strays {
				if !s.told && countDifferences(lost.want, s.values) == differing {
					lost.found, s.told = s.values, true
					break
				}
			}
		}
	}
}

// lookElsewhere looks where other rows stand, too: one that differs in its place alone
// is the lost one.
func (p *pairing) lookElsewhere(ctx context.Context, lost *lostRow) error {
	elsewhere, err := lost.elsewhere(ctx)
	if err != nil {
		return err
	}
	for _, values := range elsewhere {
		if countDifferences(lost.want, values) == 1 {
			lost.found = values
			return nil
		}
	}
	return nil
}

// countDifferences counts the columns that differ; of rows of different tables all do.
func countDifferences(a, b []Value) int {
	if len(a) != len(b) {
		return max(len(a), len(b))
	}
	n := 0
	for i := range a {
		if a[i] != b[i] {
			n++
		}
	}
	return n
}
