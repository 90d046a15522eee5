package migrations

import (
	"slices"
	"strings"
	"testing"
)

func TestTheTablesAndViewsAreThoseThatTheStatementsLeave(t *testing.T) {
	for name, c := range map[string]struct {
		statements []string
		want       string
	}{
		"made": {[]string{
			"CREATE TABLE IF NOT EXISTS events\n(\n    id String\n)\nENGINE = MergeTree",
			"CREATE TABLE b(id String) ENGINE = MergeTree",
			"CREATE VIEW IF NOT EXISTS v AS\nSELECT 1 FROM events",
			"create materialized view if not exists m TO b AS SELECT id FROM events",
		}, "b events; m v"},
		"changed": {[]string{
			"CREATE TABLE a (id String)", "ALTER TABLE a ADD COLUMN IF NOT EXISTS b String",
			"INSERT INTO a SELECT 'CREATE TABLE x'", "DELETE FROM a WHERE 1", "OPTIMIZE TABLE a", "SYSTEM STOP MERGES a",
		}, "a; "},
		"replaced":           {[]string{"CREATE VIEW v AS SELECT 1", "CREATE OR REPLACE VIEW v AS SELECT 2"}, "; v"},
		"dropped":            {[]string{"CREATE TABLE a (x Int8)", "CREATE TABLE b (x Int8)", "CREATE TABLE c (x Int8)", "DROP TABLE IF EXISTS a, c SYNC"}, "b; "},
		"dropped, made anew": {[]string{"CREATE VIEW a AS SELECT 1", "DROP VIEW a", "CREATE TABLE a (x Int8)"}, "a; "},
		"renamed":            {[]string{"CREATE TABLE a (x Int8)", "CREATE VIEW v AS SELECT 1", "RENAME TABLE IF EXISTS a TO b, v TO a"}, "b; a"},
		"exchanged":          {[]string{"CREATE TABLE a (x Int8)", "CREATE VIEW v AS SELECT 1", "EXCHANGE TABLES a AND v"}, "v; a"},
	} {
		t.Run(name, func(t *testing.T) {
			made := catalog{}
			for _, s := range c.statements {
				if err := made.apply(s); err != nil {
					t.Fatalf("%s: %v", s, err)
				}
			}
			got := strings.Join(made.names(table), " ") + "; " + strings.Join(made.names(view), " ")
			if got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

func TestAStatementThatCouldHideATableIsRefused(t *testing.T) {
	for _, s := range []string{
		"", "ATTACH TABLE x", "UNDROP TABLE x", "WITH 1 AS one SELECT one",
		"CREATE DICTIONARY d (x Int8)", "CREATE TABLE other.x (x Int8)", "CREATE TABLE `x y` (x Int8)", "CREATE TABLE",
		// ClickHouse says OK to both, and makes nothing.
		"CREATE VIEW IF NOT EXISTS a AS SELECT 1", "CREATE TABLE IF NOT EXISTS v (x Int8)",
		"CREATE OR REPLACE TABLE v (x Int8)",
		"DROP TABLE x", "DROP TABLE v", "DROP VIEW IF EXISTS a", "DROP DATABASE x", "DROP TABLE a, x",
		"RENAME TABLE x TO y", "RENAME TABLE a TO v", "RENAME TABLE a", "RENAME DATABASE a TO b",
		"EXCHANGE TABLES a AND x", "EXCHANGE TABLES a TO v", "EXCHANGE DICTIONARIES a AND v",
	} {
		if err := (catalog{"a": table, "v": view}).apply(s); err == nil {
			t.Errorf("%q is taken, want an error", s)
		}
	}
}

func TestAllMigrationsAreUnderstood(t *testing.T) {
	tables, views, err := Made()
	if err != nil {
		t.Fatal(err)
	}
	if !slices.IsSorted(tables) || !slices.Contains(tables, "schema_migrations") {
		t.Errorf("tables are %q: want them sorted, with schema_migrations", tables)
	}
	if !slices.IsSorted(views) || !slices.Contains(views, "usage_report") {
		t.Errorf("views are %q: want them sorted, with usage_report", views)
	}
}
