package runs

import (
	"context"
	"fmt"

	"github.com/reckon-billing/reckon/schemas"
)

// SealedMonths are the months that have a seal, parked accounts or not, oldest
// first.
func (s *Store) SealedMonths(ctx context.Context) ([]schemas.Month, error) {
	var months []schemas.Month
	var text string
	err := s.db.Each(ctx, "sealed_months", []any{&text}, func() error {
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
