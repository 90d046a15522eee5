package simulate

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/reckon-billing/reckon/internal/app"
	"github.com/reckon-billing/reckon/internal/report"
	"github.com/reckon-billing/reckon/schemas"
)

// Counts are what became of every line (contract 7), as the last line of a replay
// says it.
type Counts struct {
	Stored      int64 `json:"stored"`
	Duplicate   int64 `json:"duplicate"`
	Conflicting int64 `json:"conflicting"`
	Rejected    int64 `json:"rejected"`
	Anomalous   int64 `json:"anomalous"`
}

// Replay plays a scenario on a stack beside which ingest runs: it produces the
// lines, seals where told, reports what each seal issued, and counts at the end.
func (s *Stack) Replay(ctx context.Context, files Scenario, out report.Writer) (Counts, error) {
	err := files.Read(ctx, func(l *Line) error {
		if l.Seal.IsZero() {
			return s.Add(ctx, l.At, l.Value)
		}
		return s.sealTo(ctx, l.Seal, out)
	})
	if err != nil {
		return Counts{}, err
	}
	counts, err := s.Finish(ctx)
	if err != nil {
		return counts, err
	}
	if err := out.Close(); err != nil {
		return counts, fmt.Errorf("write the report: %w", err)
	}
	return counts, nil
}

// sealTo seals a month and reports what was issued, in order.
func (s *Stack) sealTo(ctx context.Context, month schemas.Month, out report.Writer) error {
	seals, err := s.Seal(ctx, month)
	if err != nil {
		return err
	}
	for _, seal := range seals {
		err := s.Store.RunRows(ctx, seal.Run, func(r schemas.ReportRow) error { return out.Write(&r) })
		if err != nil {
			return fmt.Errorf("read what run %d issued: %w", seal.Run, err)
		}
	}
	return nil
}

// Seal seals a month on all lines so far.
func (s *Stack) Seal(ctx context.Context, month schemas.Month) ([]app.Seal, error) {
	if err := s.Flush(ctx); err != nil {
		return nil, err
	}
	seals, err := s.Seals.Seal(ctx, month)
	if err != nil {
		return nil, fmt.Errorf("seal %s: %w", month, err)
	}
	return seals, app.Parked(seals)
}

// Finish lets ingest store what is left and counts everything.
func (s *Stack) Finish(ctx context.Context) (Counts, error) {
	var counts Counts
	if err := s.Flush(ctx); err != nil {
		return counts, err
	}
	cutoff, err := s.Seals.NoteCutoff(ctx)
	if err != nil {
		return counts, err
	}
	stored, err := s.Store.Counts(ctx)
	if err != nil {
		return counts, fmt.Errorf("count what is stored: %w", err)
	}
	counts = Counts{Stored: stored.Stored, Duplicate: stored.Duplicate, Conflicting: stored.Conflicting, Rejected: stored.Rejected}
	err = s.Auditor().Anomalies(ctx, cutoff, nil, func(a schemas.Anomaly) error {
		if a.Reason != schemas.NoTerm {
			counts.Anomalous++
		}
		return nil
	})
	return counts, err
}

// RejectedLine is a line that ingest rejected.
type RejectedLine struct {
	Origin
	Why string
}

// Rejected lists them in the order of the files.
func (s *Stack) Rejected() []RejectedLine {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]RejectedLine, 0, len(s.rejects))
	for p, why := range s.rejects {
		out = append(out, RejectedLine{s.sources[schemas.Position{Topic: p.Topic, Partition: p.Partition}][p.Offset], why})
	}
	slices.SortFunc(out, func(a, b RejectedLine) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line))
	})
	return out
}
