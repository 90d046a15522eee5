package invoices

import (
	"context"
	"fmt"

	"github.com/reckon-billing/reckon/internal/clickhouse/column"
	"github.com/reckon-billing/reckon/schemas"
	"github.com/reckon-billing/reckon/schemas/tables"
)

func hashOf(column string) (h schemas.Digest) {
	copy(h[:], column)
	return h
}

// MonthHashes are the hashes that were stored with the seals of a month up to a
// run, by run ascending.
func (s *Store) MonthHashes(ctx context.Context, month schemas.Month, run int64) ([]schemas.RunHash, error) {
	var all []schemas.RunHash
	var one schemas.RunHash
	var hash string
	err := s.db.Each(ctx, "month_hashes", []any{&one.Run, &one.Invoices, &hash}, func() error {
		one.Hash = hashOf(hash)
		all = append(all, one)
		return nil
	}, column.Bind("month", month.String()), column.Bind("run", run))
	if err != nil {
		return nil, fmt.Errorf("read the hashes of %s: %w", month, err)
	}
	return all, nil
}

// Rehash computes from the hashes of a month's invoices what [Store.MonthHashes]
// should say.
func (s *Store) Rehash(ctx context.Context, month schemas.Month, run int64) ([]schemas.RunHash, error) {
	var all []schemas.RunHash
	var current *tables.MonthHash
	var number int64
	var code, hash string
	end := func() {
		if current != nil {
			all[len(all)-1].Invoices, all[len(all)-1].Hash = current.Invoices, current.Sum()
		}
	}
	err := s.db.Each(ctx, "sealed_hashes", []any{&number, &code, &hash}, func() error {
		if n := len(all); n == 0 || all[n-1].Run != number {
			end()
			all, current = append(all, schemas.RunHash{Run: number}), tables.NewMonthHash()
		}
		current.Add(code, hashOf(hash))
		return nil
	}, column.Bind("month", month.String()), column.Bind("run", run))
	if err != nil {
		return nil, fmt.Errorf("read the hashes of the invoices of %s: %w", month, err)
	}
	end()
	return all, nil
}

// ItemMinutes yields the item-minutes of a month as they were stored up to a
// run, by account ascending.
func (s *Store) ItemMinutes(ctx context.Context, month schemas.Month, run int64, yield func(schemas.AccountMinutes) error) error {
	var m schemas.AccountMinutes
	err := s.db.Each(ctx, "verify_minutes", []any{&m.AccountID, &m.Lived, &m.OnLines, &m.Excluded},
		func() error { return yield(m) }, column.Bind("month", month.String()), column.Bind("run", run))
	if err != nil {
		return fmt.Errorf("item-minutes of %s: %w", month, err)
	}
	return nil
}

// ConservationDifference sums what is missing or too much of item-minutes over
// all sealed months and accounts; 0 when all is well.
func (s *Store) ConservationDifference(ctx context.Context) (int64, error) {
	var n int64
	if err := s.db.Row(ctx, "conservation_difference", []any{&n}); err != nil {
		return 0, fmt.Errorf("sum the differences of item-minutes: %w", err)
	}
	return n, nil
}
