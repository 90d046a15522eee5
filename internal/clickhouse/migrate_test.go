package clickhouse

import (
	"slices"
	"strings"
	"testing"

	"github.com/reckon-billing/reckon/internal/clickhouse/clickhousetest"
	"github.com/reckon-billing/reckon/internal/clickhouse/column"
	"github.com/reckon-billing/reckon/schemas/migrations"
)

func names(t *testing.T) []string {
	t.Helper()
	all, err := migrations.All()
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for i := range all {
		out = append(out, all[i].Name)
	}
	return out
}

func testMigrateAgain(t *testing.T, s *Store) {
	done, err := s.Migrate(t.Context(), clickhousetest.Noon())
	if err != nil || !slices.Equal(done, names(t)) {
		t.Fatalf("first: %q, %v, want all of %q", done, err, names(t))
	}
	if done, err = s.Migrate(t.Context(), clickhousetest.Noon()); err != nil || len(done) > 0 {
		t.Fatalf("again: %q, %v, want nothing", done, err)
	}
	// A crash between the statements of the last ones and the notes of them.
	const crashed = 3
	last := names(t)[len(names(t))-crashed:]
	err = clickhousetest.Direct(t, config(s)).Exec(t.Context(), "DELETE FROM schema_migrations WHERE number > {n:UInt32}", column.Bind("n", len(names(t))-crashed))
	if err != nil {
		t.Fatal(err)
	}
	if done, err = s.Migrate(t.Context(), clickhousetest.Noon()); err != nil || !slices.Equal(done, last) {
		t.Fatalf("after a crash: %q, %v, want %q", done, err, last)
	}
	if err := s.Check(t.Context()); err != nil {
		t.Error(err)
	}
}

// What start-up checks and a cluster waits for is what is really there.
func testMigrationsSayWhatTheyMake(t *testing.T, s *Store) {
	if _, err := s.Migrate(t.Context(), clickhousetest.Noon()); err != nil {
		t.Fatal(err)
	}
	tables, views, err := migrations.Made()
	if err != nil {
		t.Fatal(err)
	}
	var gotTables, gotViews []string
	err = clickhousetest.Direct(t, config(s)).QueryRow(t.Context(), `SELECT arraySort(groupArrayIf(name, engine NOT LIKE '%View')), arraySort(groupArrayIf(name, engine LIKE '%View'))
		FROM system.tables WHERE database = currentDatabase()`).Scan(&gotTables, &gotViews)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(gotTables, tables) || !slices.Equal(gotViews, views) {
		t.Errorf("the engine has tables %q and views %q, the files say %q and %q", gotTables, gotViews, tables, views)
	}
}

func testMigrateRefuses(t *testing.T, s *Store) {
	if _, err := s.Migrate(t.Context(), clickhousetest.Noon()); err != nil {
		t.Fatal(err)
	}
	refused := func(want string) {
		t.Helper()
		if _, err := s.Migrate(t.Context(), clickhousetest.Noon()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want an error with %q", err, want)
		}
	}
	s.config.Digits = 2
	refused("keeps money with 0 decimals, the currency has 2")
	s.config.Digits = 0

	future := &migrations.Migration{Number: len(names(t)) + 1, Name: "0099_tomorrow.sql", Checksum: strings.Repeat("0", 64)}
	if err := s.note(t.Context(), future, clickhousetest.Noon()); err != nil {
		t.Fatal(err)
	}
	refused("it is older than the store")
	if err := clickhousetest.Direct(t, config(s)).Exec(t.Context(), "DELETE FROM schema_migrations WHERE name = '0099_tomorrow.sql'"); err != nil {
		t.Fatal(err)
	}

	edited := &migrations.Migration{Number: 2, Name: names(t)[1], Checksum: strings.Repeat("f", 64)}
	if err := s.note(t.Context(), edited, clickhousetest.Noon()); err != nil {
		t.Fatal(err)
	}
	refused("a migration that was applied has been edited")
}

func testCheck(t *testing.T, s *Store) {
	check := func(want string) {
		t.Helper()
		err := s.Check(t.Context())
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want an error with %q", err, want)
		}
	}
	if _, err := s.Migrate(t.Context(), clickhousetest.Noon()); err != nil {
		t.Fatal(err)
	}
	if err := s.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	last := names(t)[len(names(t))-1]
	for _, step := range []struct{ sql, want string }{
		{"ALTER TABLE runs MODIFY SETTING non_replicated_deduplication_window = 0", "table runs: setting non_replicated_deduplication_window is 0"},
		{"DROP TABLE edges", "table edges is missing"},
		{"CREATE TABLE edges (at String) ENGINE = MergeTree ORDER BY at", "table edges has engine MergeTree, want ReplacingMergeTree"},
		{
			"DELETE FROM schema_migrations WHERE number = (SELECT max(number) FROM schema_migrations)",
			"migration " + last + " is not applied: run reckon migrate",
		},
	} {
		if err := clickhousetest.Direct(t, config(s)).Exec(t.Context(), step.sql); err != nil {
			t.Fatal(err)
		}
		check(step.want)
	}
}
