package clickhousetest

import (
	"fmt"
	"sync/atomic"
	"testing"

	driver "github.com/ClickHouse/clickhouse-go/v2"

	"github.com/reckon-billing/reckon/internal/clickhouse/column"
	"github.com/reckon-billing/reckon/schemas/migrations"
)

// Database is a database of its own on an engine, with all tables.
type Database struct {
	*column.DB
	Config column.Config
}

var made atomic.Int64 //nolint:gochecknoglobals // so that names differ

// Migrated makes one, until the test ends.
func Migrated(t testing.TB, address, user, password string) *Database {
	t.Helper()
	config := column.Config{Addresses: []string{address}, Username: user, Password: password}
	outside := Database{open(t, config), config}
	config.Database = fmt.Sprintf("test_%d", made.Add(1))
	if err := outside.ExecText(t.Context(), "CREATE DATABASE "+config.Database); err != nil {
		t.Fatal(err)
	}
	d := &Database{open(t, config), config}
	all, err := migrations.All()
	if err != nil {
		t.Fatal(err)
	}
	for i := range all {
		statements, err := all[i].Statements(migrations.Target{})
		if err != nil {
			t.Fatal(err)
		}
		for _, statement := range statements {
			if err := d.ExecText(t.Context(), statement); err != nil {
				t.Fatal(err)
			}
		}
	}
	return d
}

// Over is the database over another way, given by its addresses, and otherwise.
func (d *Database) Over(t testing.TB, config column.Config) *column.DB {
	t.Helper()
	config.Database, config.Username, config.Password = d.Config.Database, d.Config.Username, d.Config.Password
	if config.Addresses == nil {
		config.Addresses = d.Config.Addresses
	}
	return open(t, config)
}

func open(t testing.TB, config column.Config) *column.DB {
	t.Helper()
	db, err := column.Open(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

// Direct is a connection for statements that no store asks.
func Direct(t testing.TB, c column.Config) driver.Conn {
	t.Helper()
	conn, err := driver.Open(&driver.Options{
		Addr: c.Addresses, Auth: driver.Auth{Database: c.Database, Username: c.Username, Password: c.Password},
		Settings: driver.Settings{"session_timezone": "UTC", "mutations_sync": 2, "lightweight_deletes_sync": 2},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// Number is the one number that a query gives.
func Number(t testing.TB, c column.Config, query string, args ...any) (n int64) {
	t.Helper()
	if err := Direct(t, c).QueryRow(t.Context(), query, args...).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// Merge makes the engine merge all parts of a table now.
func Merge(t testing.TB, c column.Config, table string) {
	t.Helper()
	if err := Direct(t, c).Exec(t.Context(), "OPTIMIZE TABLE {table:Identifier} FINAL", column.Bind("table", table)); err != nil {
		t.Fatal(err)
	}
}
