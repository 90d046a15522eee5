package events

import (
	"context"
	"fmt"
	"time"

	"github.com/reckon-billing/reckon/internal/clickhouse/column"
	"github.com/reckon-billing/reckon/internal/clickhouse/scope"
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
	if err := s.db.Row(ctx, "counts", []any{&c.Stored, &repeated, &c.Conflicting, &c.Rejected}); err != nil {
		return Counts{}, fmt.Errorf("count what is stored: %w", err)
	}
	c.Duplicate = max(0, repeated-c.Conflicting)
	return c, nil
}

// HasAccount tells whether any event of an account is stored.
func (s *Store) HasAccount(ctx context.Context, account string) (bool, error) {
	var has bool
	if err := s.db.Row(ctx, "has_account", []any{&has}, column.Bind("account", account)); err != nil {
		return false, fmt.Errorf("look for account %q: %w", account, err)
	}
	return has, nil
}

// FirstStored is when the first event was stored, UTC, by the server's clock; zero while
// there is none.
func (s *Store) FirstStored(ctx context.Context) (time.Time, error) {
	var ms int64
	if err := s.db.Row(ctx, "first_stored", []any{&ms}); err != nil {
		return time.Time{}, fmt.Errorf("ask when the first event was stored: %w", err)
	}
	if ms == 0 {
		return time.Time{}, nil
	}
	return time.UnixMilli(ms).UTC(), nil
}

// HasEventBefore tells whether an event is stored whose own time lies before an instant.
func (s *Store) HasEventBefore(ctx context.Context, at time.Time) (bool, error) {
	var has bool
	if err := s.db.Row(ctx, "has_before", []any{&has}, scope.BindTime("at", at)); err != nil {
		return false, fmt.Errorf("look for an event before %s: %w", at.UTC().Format(time.RFC3339), err)
	}
	return has, nil
}
