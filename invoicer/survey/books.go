package survey

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"

	"github.com/reckon-billing/reckon/invoicer"
	"github.com/reckon-billing/reckon/schemas"
)

// books are the runs as a survey needs them.
type books struct {
	// runs are all that are written down: they say which copy of an event counts.
	// carriedOut are those up to the first that has no seal, and base is the last of
	// them, zero before the first.
	runs, carriedOut []schemas.Run
	base             schemas.Run
	// month is the newest that they sealed; parked are the accounts that any of them has
	// still to do, sorted.
	month  schemas.Month
	parked []string
}

// open reads them.
func (s *Surveyor) open(ctx context.Context) (*books, error) {
	seals, err := s.RunLog.Seals(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the seals: %w", err)
	}
	runs, err := s.RunLog.Runs(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the runs: %w", err)
	}
	b := &books{runs: runs}
	sealed := map[int64]bool{}
	for _, seal := range seals {
		sealed[seal.Run] = true
		for _, p := range seal.Parked {
			b.parked = append(b.parked, p.AccountID)
		}
	}
	slices.Sort(b.parked)
	b.parked = slices.Compact(b.parked)
	for i := range runs {
		if !sealed[runs[i].Number] {
			break
		}
		b.carriedOut, b.base = runs[:i+1], runs[i]
	}
	b.month = invoicer.LastMonth(b.carriedOut)
	return b, nil
}

// identify is the digest of what a survey follows from.
func identify(survey *schemas.Survey, more string) string {
	h := sha256.New()
	_, _ = fmt.Fprintf(h, "%d %q %q", survey.Run, survey.LeftOut, more) // a hash takes everything
	for _, p := range survey.Cutoff {
		_, _ = fmt.Fprintf(h, " %d/%q/%d/%d", p.Log, p.Topic, p.Partition, p.End)
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}
