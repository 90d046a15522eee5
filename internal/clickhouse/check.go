package clickhouse

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/reckon-billing/reckon/internal/clickhouse/column"
	"github.com/reckon-billing/reckon/schemas/migrations"
)

// Check is the guard at start-up: it says, naming the setting or the table, what
// would make the store lose or double rows. Everything that it finds is joined
// into one error.
func (s *Store) Check(ctx context.Context) error {
	err := errors.Join(s.checkMigrated(ctx), s.checkInserts(ctx), s.checkTables(ctx))
	if err != nil {
		return fmt.Errorf("check clickhouse: %w", err)
	}
	return nil
}

func (s *Store) checkMigrated(ctx context.Context) error {
	all, err := migrations.All()
	if err != nil {
		return err
	}
	applied, err := s.applied(ctx)
	if err != nil {
		return fmt.Errorf("%w (has reckon migrate been run?)", err)
	}
	if err := s.agree(all, applied); err != nil {
		return err
	}
	if len(applied) < len(all) {
		return fmt.Errorf("migration %s is not applied: run reckon migrate", all[len(applied)].Name)
	}
	return nil
}

// checkInserts asks what our own connections have; a profile of the server may
// forbid what we set.
func (s *Store) checkInserts(ctx context.Context) error {
	// What inserts ask for must be ours to ask: a server that forbids it says so
	// now, and names the setting.
	ctx = column.WithSettings(ctx, column.Settings{"deduplicate_insert": "enable"})
	settings := map[string]string{}
	var name, value string
	err := s.db.Each(ctx, "settings", []any{&name, &value}, func() error {
		settings[name] = value
		return nil
	}, column.Bind("names", []string{"async_insert", "wait_for_async_insert", "deduplicate_insert"}))
	if err != nil {
		return fmt.Errorf("read settings: %w", err)
	}
	var errs []error
	if settings["async_insert"] != "0" && settings["wait_for_async_insert"] != "1" {
		errs = append(errs, errors.New("setting async_insert = 1 with wait_for_async_insert = 0: rows are acknowledged before they are written"))
	}
	if _, known := settings["deduplicate_insert"]; !known {
		errs = append(errs, errors.New("setting deduplicate_insert is unknown: ClickHouse is older than 26.2, and would drop rows that were forgotten and written again"))
	}
	return errors.Join(errs...)
}

// checkTables looks at each table that the migrations make.
func (s *Store) checkTables(ctx context.Context) error {
	tables, _, err := migrations.Made()
	if err != nil {
		return err
	}
	var errs []error
	var seen []string
	var name, engine, full string
	err = s.db.Each(ctx, "tables", []any{&name, &engine, &full}, func() error {
		seen = append(seen, name)
		switch {
		case !strings.HasSuffix(engine, "ReplacingMergeTree"):
			errs = append(errs, fmt.Errorf("table %s has engine %s, want ReplacingMergeTree: repeated rows would stay", name, engine))
		case strings.HasPrefix(engine, "Replicated"), strings.HasPrefix(engine, "Shared"):
			// The server's own default window is above 0.
		case !strings.Contains(full, "non_replicated_deduplication_window = ") ||
			strings.Contains(full, "non_replicated_deduplication_window = 0"):
			errs = append(errs, fmt.Errorf("table %s: setting non_replicated_deduplication_window is 0: two runs could be written down under one number", name))
		}
		return nil
	}, column.Bind("names", tables))
	if err != nil {
		return fmt.Errorf("read tables: %w", err)
	}
	for _, table := range tables {
		if !slices.Contains(seen, table) {
			errs = append(errs, fmt.Errorf("table %s is missing: run reckon migrate", table))
		}
	}
	return errors.Join(errs...)
}
