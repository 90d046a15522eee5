package events

import (
	"context"
	"fmt"
	"strings"

	"github.com/reckon-billing/reckon/internal/audit"
	"github.com/reckon-billing/reckon/internal/clickhouse/column"
	"github.com/reckon-billing/reckon/internal/clickhouse/scope"
	"github.com/reckon-billing/reckon/schemas"
)

// StoredOffsets streams every message that is stored of what lies before the
// cutoff, by log, topic, partition and offset ascending.
func (s *Store) StoredOffsets(ctx context.Context, cutoff schemas.Cutoff) (schemas.Cursor[audit.StoredOffset], error) {
	rows, err := s.db.Rows(ctx, "stored_offsets", scope.BindCutoff("", cutoff)...)
	if err != nil {
		return nil, err
	}
	return &column.Cursor[audit.StoredOffset]{Rows: rows, Scan: scanOffset}, nil
}

func scanOffset(c *column.Rows) (audit.StoredOffset, error) {
	var o audit.StoredOffset
	err := c.Next(&o.Log, &o.Topic, &o.Partition, &o.Offset, &o.Rejected)
	o.Topic = strings.Clone(o.Topic)
	return o, err
}

// MissingIdentities names events before the cutoff that the search for copies of
// one identity would not see, up to so many, by log, topic, partition and offset.
func (s *Store) MissingIdentities(ctx context.Context, cutoff schemas.Cutoff, most int) ([]schemas.Position, error) {
	var all []schemas.Position
	var one schemas.Position
	err := s.db.Each(ctx, "missing_identities", []any{&one.Log, &one.Topic, &one.Partition, &one.Offset}, func() error {
		all = append(all, one)
		return nil
	}, append(scope.BindCutoff("", cutoff), column.Bind("most", int64(most)))...)
	if err != nil {
		return nil, fmt.Errorf("look for events without an identity: %w", err)
	}
	return all, nil
}
