package clickhouse

import (
	"context"
	"fmt"

	"github.com/reckon-billing/reckon/schemas"
)

// Counts are what became of every message that ingest read (contract 7): each
// is exactly one of the four.
type Counts struct {
	// Stored counts identities, Duplicate and Conflicting their further copies,
	// Rejected the dead letters.
	Stored, Duplicate, Conflicting, Rejected int64
}

// Counts counts the whole store. A message that was stored twice because the
// log redelivered it counts once. It reads every identity: for gauges, not for
// a loop. While ingest writes, the parts may be of slightly different instants.
func (s *Store) Counts(ctx context.Context) (Counts, error) {
	var c Counts
	var repeated int64
	if err := s.Row(ctx, "counts", []any{&c.Stored, &repeated, &c.Conflicting, &c.Rejected}); err != nil {
		return Counts{}, fmt.Errorf("count what is stored: %w", err)
	}
	c.Duplicate = max(0, repeated-c.Conflicting)
	return c, nil
}

// SealedMonths are the months that have a seal, parked accounts or not, oldest
// first.
func (s *Store) SealedMonths(ctx context.Context) ([]schemas.Month, error) {
	var months []schemas.Month
	var text string
	err := s.Each(ctx, "sealed_months", []any{&text}, func() error {
		month, err := schemas.ParseMonth(text)
		if err != nil {
			return fmt.Errorf("stored seal: %w", err)
		}
		months = append(months, month)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read sealed months: %w", err)
	}
	return months, nil
}
