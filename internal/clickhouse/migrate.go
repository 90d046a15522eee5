package clickhouse

import (
	"context"
	"fmt"
	"time"

	"github.com/reckon-billing/reckon/internal/clickhouse/column"
	"github.com/reckon-billing/reckon/schemas/migrations"
)

// Migrate makes the database and applies the migrations that are not applied
// yet, in order, and returns their names. It may be run again after a crash
// anywhere. It refuses, having changed nothing, when an applied file is not the
// one of this binary, when the store is newer than the binary, and when money is
// stored with other decimals than the configuration's. now is when they are
// noted as applied.
func (s *Store) Migrate(ctx context.Context, now time.Time) ([]string, error) {
	all, err := migrations.All()
	if err != nil {
		return nil, err
	}
	if err := s.createDatabase(ctx); err != nil {
		return nil, fmt.Errorf("create database %s: %w", s.config.Database, err)
	}
	if err := s.apply(ctx, &all[0]); err != nil { // the table that says what is applied
		return nil, err
	}
	applied, err := s.applied(ctx)
	if err != nil {
		return nil, err
	}
	if err := s.agree(all, applied); err != nil {
		return nil, err
	}
	var done []string
	for i := len(applied); i < len(all); i++ {
		if err := s.apply(ctx, &all[i]); err != nil {
			return done, err
		}
		if err := s.note(ctx, &all[i], now); err != nil {
			return done, fmt.Errorf("migration %s: note it as applied: %w", all[i].Name, err)
		}
		done = append(done, all[i].Name)
	}
	return done, nil
}

// createDatabase needs a connection of its own: the store's would name a
// database that is not there.
func (s *Store) createDatabase(ctx context.Context) error {
	name, cluster := "create_database", s.config.Cluster
	if cluster != "" {
		name = "create_database_on_cluster"
	}
	return s.config.outside(ctx, func(db *column.DB) error {
		return db.Exec(ctx, name, column.Bind("database", s.config.Database), column.Bind("cluster", cluster))
	})
}

// apply runs every statement of a migration. Each may be repeated.
func (s *Store) apply(ctx context.Context, m *migrations.Migration) error {
	statements, err := m.Statements(migrations.Target{Cluster: s.config.Cluster, Digits: s.config.Digits})
	if err != nil {
		return err
	}
	for i, statement := range statements {
		if err := s.db.ExecText(ctx, statement); err != nil {
			return fmt.Errorf("migration %s, statement %d: %w", m.Name, i+1, err)
		}
	}
	return nil
}

// appliedMigration is a row of schema_migrations.
type appliedMigration struct {
	number         uint32
	name, checksum string
	digits         uint8
}

// applied are the migrations that the store has, by number.
func (s *Store) applied(ctx context.Context) ([]appliedMigration, error) {
	var all []appliedMigration
	var m appliedMigration
	err := s.db.Each(ctx, "applied_migrations", []any{&m.number, &m.name, &m.checksum, &m.digits}, func() error {
		all = append(all, m)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read what is applied: %w", err)
	}
	return all, nil
}

// agree compares what the store has with what this binary knows.
func (s *Store) agree(all []migrations.Migration, applied []appliedMigration) error {
	if len(applied) > len(all) {
		last := applied[len(applied)-1]
		return fmt.Errorf("database %s has migration %s, this program knows %d: it is older than the store",
			s.config.Database, last.name, len(all))
	}
	for i, m := range applied {
		switch {
		case int(m.number) != i+1:
			return fmt.Errorf("database %s has no migration %d, but %s", s.config.Database, i+1, m.name)
		case m.name != all[i].Name || m.checksum != all[i].Checksum:
			return fmt.Errorf("database %s has migration %s with checksum %s, this program %s with %s: a migration that was applied has been edited",
				s.config.Database, m.name, m.checksum, all[i].Name, all[i].Checksum)
		case int32(m.digits) != s.config.Digits:
			return fmt.Errorf("database %s keeps money with %d decimals, the currency has %d: set billing.currency back",
				s.config.Database, m.digits, s.config.Digits)
		}
	}
	return nil
}

func (s *Store) note(ctx context.Context, m *migrations.Migration, now time.Time) error {
	return s.db.Insert(ctx, "", column.Insert{Table: "schema_migrations", Blocks: []column.Input{{
		{Name: "number", Data: column.UInt32s{uint32(m.Number)}}, //nolint:gosec // counted from 1
		{Name: "name", Data: column.StringsOf(m.Name)},
		{Name: "checksum", Data: column.StringsOf(m.Checksum)},
		{Name: "digits", Data: column.UInt8s{uint8(s.config.Digits)}}, //nolint:gosec // at most 18
		{Name: "applied_at", Data: column.MillisOf(now)},
	}}})
}
