package clickhouse

import (
	"context"
	"fmt"

	"github.com/reckon-billing/reckon/internal/clickhouse/column"
	"github.com/reckon-billing/reckon/schemas/migrations"
)

// CatchUp waits, on a cluster, until the replica that this process talks to has
// every row that any replica has acknowledged so far: a quorum had it then, of which
// this one may not be. What is read before that could be less than what ingest has
// committed, and a seal must not miss it. Its user needs the right SYSTEM SYNC
// REPLICA.
func (s *Store) CatchUp(ctx context.Context) error {
	if s.config.Cluster == "" {
		return nil
	}
	tables, _, err := migrations.Made()
	if err != nil {
		return err
	}
	for _, table := range tables {
		if err := s.db.Exec(ctx, "catch_up", column.Bind("table", table)); err != nil {
			return fmt.Errorf("wait until this replica of cluster %s has all rows of table %s: %w", s.config.Cluster, table, err)
		}
	}
	return nil
}
