package clickhouse

import (
	"context"
	"errors"
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

// OneServer is the store for who must not mix what two servers have: whatever is asked
// of it since its last Keep is asked of one server, or fails with a [*column.MovedError].
// It ends with the store that it is of.
func (s *Store) OneServer() *Store { return newStore(s.db.OneServer(), s.config) }

// Keep begins to hold a [Store.OneServer] to the server that answers now. Without a
// cluster it must be the one that answered at first: nobody else has the same rows.
func (s *Store) Keep(ctx context.Context) error {
	now, first, err := s.db.Keep(ctx)
	if err == nil && s.config.Cluster == "" && !now.Same(first) {
		err = twoServers(first, now)
	}
	return err
}

func twoServers(one, other column.Server) error {
	return fmt.Errorf("clickhouse.addresses leads to two servers, %s and %s, and without clickhouse.cluster neither has the other's rows: "+
		"name one of them, or in clickhouse.cluster the cluster whose replicas they are", one, other)
}

// CheckServers refuses servers that do not all have the same rows: shards of a cluster,
// and several that are of none. Addresses that do not answer are left out. It asks for
// no table, nor for the database.
func (s *Store) CheckServers(ctx context.Context) error {
	if s.config.Cluster != "" {
		return s.checkShards(ctx)
	}
	if len(s.config.Addresses) == 1 {
		return nil
	}
	var first column.Server
	var silent []error
	for _, address := range s.config.Addresses {
		one := s.config
		one.Addresses = []string{address}
		var server column.Server
		err := one.outside(ctx, func(db *column.DB) (err error) {
			server, err = db.Server(ctx)
			return err
		})
		switch {
		case err != nil:
			silent = append(silent, fmt.Errorf("%s: %w", address, err))
		case first == column.Server{}:
			first = server
		case !server.Same(first):
			return twoServers(first, server)
		}
	}
	if len(silent) == len(s.config.Addresses) {
		return errors.Join(silent...)
	}
	return nil
}

// checkShards refuses a cluster that the server does not know, or of several shards.
func (s *Store) checkShards(ctx context.Context) error {
	name, shards := s.config.Cluster, uint64(0)
	err := s.config.outside(ctx, func(db *column.DB) error {
		return db.Row(ctx, "shards", []any{&shards}, column.Bind("cluster", name))
	})
	switch {
	case err != nil:
		return fmt.Errorf("clickhouse.cluster: ask for the shards of %s: %w", name, err)
	case shards == 0:
		return fmt.Errorf("clickhouse.cluster: the server knows no cluster %s: name one of system.clusters", name)
	case shards > 1:
		return fmt.Errorf("clickhouse.cluster: %s has %d shards, and each would have a part of the rows alone: "+
			"name a cluster of one shard, whose replicas have them all", name, shards)
	}
	return nil
}

// outside uses a connection of its own, outside the store's database, which may not be
// there.
func (c *Config) outside(ctx context.Context, use func(*column.DB) error) error {
	db, err := c.open("")
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }() // what matters is what use says
	db.EndWith(ctx)                   // its connections are not those of the store
	return use(db)
}
