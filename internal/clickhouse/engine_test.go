package clickhouse

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"testing"
	"time"

	driver "github.com/ClickHouse/clickhouse-go/v2"
	"github.com/shopspring/decimal"

	"github.com/reckon-billing/reckon/aggregate"
	"github.com/reckon-billing/reckon/ingest"
	"github.com/reckon-billing/reckon/internal/clickhouse/column"
	"github.com/reckon-billing/reckon/internal/embedded/embeddedtest"
	"github.com/reckon-billing/reckon/schemas"
)

func TestMain(m *testing.M) { os.Exit(embeddedtest.Run(m)) }

// TestOnTheEngine runs everything that needs the real engine on one of them,
// each test in a database of its own.
func TestOnTheEngine(t *testing.T) {
	endpoints := embeddedtest.Start(t).Endpoints()
	number := 0
	open := func(t *testing.T, digits int32) *Store {
		t.Helper()
		number++
		s, err := Open(Config{
			Addresses: []string{endpoints.Native}, Database: fmt.Sprintf("test_%d", number),
			Username: endpoints.User, Password: endpoints.Password, Digits: digits,
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
		return s
	}
	for _, test := range []struct {
		name string
		run  func(*testing.T, *Store)
	}{
		{"migrations apply once and again after a crash", testMigrateAgain},
		{"what does not fit the stored migrations is refused", testMigrateRefuses},
		{"the migrations say which tables and views they make", testMigrationsSayWhatTheyMake},
		{"the check names what would lose or double rows", testCheck},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, open(t, 0)) })
	}
	for _, test := range []struct {
		name string
		run  func(*testing.T, *Store)
	}{
		{"events come back as they were, whatever they hold", testEventsRoundTrip},
		{"what a column cannot hold exactly is refused", testRefusesWhatDoesNotFit},
		{"any Kafka timestamp is stored and ordered by", testKafkaTimestamps},
		{"events come back as they were, compressed on the way", testCompressed},
		{"a writer outlives an outage, and no batch fails by an old one", testWriterAfterOutage},
		{"events come in the fold's order and by scope", testEventsByScope},
		{"a month reads its own events, not the history", testMonthPrunes},
		{"a cursor that is closed early or cancelled ends", testCursorEnds},
		{"months are merged in the order that the server sorts in", testMonthsMerge},
		{"parts that have moved are not read as empty", testPartsMove},
		{"texts of any length come back, and stay as they were read", testTexts},
		{"columns that are mostly empty come back", testMostlyEmpty},
		{"F5: a read that breaks off is an error, never an early end", testBrokenRead},
		{"a cursor that is closed leaves no query behind", testNothingLeft},
		{"A12: copies are judged by identity over all history, before and after a merge", testCopies},
		{"moved identities are found with all their copies", testMoved},
		{"no event is ever stored without its identity", testIdentitiesFirst},
		{"moved identities are found wherever they lie among millions", testMovedAmongMany},
		{"a row that cannot be read back breaks its account alone", testBrokenRow},
		{"A14: dead letters keep every byte", testDeadLetters},
		{"the highest run's edge or tombstone counts", testEdges},
		{"late events mark what they touch", testMarkTouched},
		{"200 races for one run number keep one run", testAddRunRaces},
		{"runs and seals come back as they were", testBook},
		{"what is written twice is there once", testLedgerTwice},
		{"a period is stored with its items, its coupon and its events", testPeriodColumns},
		{"what is forgotten can be written again", testForget},
		{"invoiced lines are those of earlier runs with a header", testInvoiced},
		{"reports come in the order of the contract", testReportOrder},
		{"the view for finance shows local times and its columns in order", testUsageReportView},
		{"S3: text with quotes is data everywhere", testQuotes},
		{"on a cluster nothing is read before the replica has caught up", testCatchUp},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := open(t, 0)
			if _, err := s.Migrate(t.Context(), noon()); err != nil {
				t.Fatal(err)
			}
			test.run(t, s)
		})
	}
}

// noon is some instant.
func noon() time.Time { return time.Date(2026, 10, 15, 12, 0, 0, 0, time.UTC) }

func dec(t *testing.T, s string) decimal.Decimal {
	t.Helper()
	d, err := decimal.NewFromString(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// usageEvent is a usage event of bytes that came in the topic billing.usage.
func usageEvent(account, resource, id string, at time.Time, offset int64) carried {
	return accepted(schemas.Event{
		Source: "test", ID: id, Type: schemas.UsageRecorded, AccountID: account, ResourceID: resource, Time: at,
		Usage: schemas.Usage{Item: "bytes", Value: decimal.NewFromInt(1)},
	}, "billing.usage", offset)
}

// lifecycleEvent is one without data, in the topic billing.lifecycle.
func lifecycleEvent(kind schemas.Type, account, resource, id string, at time.Time, offset int64) carried {
	return accepted(schemas.Event{
		Source: "test", ID: id, Type: kind, AccountID: account, ResourceID: resource, Time: at,
	}, "billing.lifecycle", offset)
}

// accepted is an event in a message of partition 0, as many seconds after noon as
// its offset says.
func accepted(e schemas.Event, topic string, offset int64) carried {
	return carried{Event: e, Message: schemas.Message{
		Position: schemas.Position{Topic: topic, Offset: offset},
		Time:     noon().Add(time.Duration(offset) * time.Second), Key: []byte(e.AccountID), Value: []byte(`{"raw":true}`),
	}}
}

// carried is an event with the message that carried it.
type carried struct {
	Event   schemas.Event
	Message schemas.Message
}

// insertEvents stores events as one batch.
func insertEvents(ctx context.Context, s *Store, events ...carried) error {
	batch := s.Open()
	for i := range events {
		if err := batch.Accept(&events[i].Event, &events[i].Message); err != nil {
			return err
		}
	}
	return batch.Store(ctx)
}

// insertRejects stores messages that are no events as one batch.
func insertRejects(ctx context.Context, s *Store, letters ...ingest.Rejected) error {
	batch := s.Open()
	for i := range letters {
		if err := batch.Reject(&letters[i].Message, &letters[i].Rejection); err != nil {
			return err
		}
	}
	return batch.Store(ctx)
}

func store(t *testing.T, s *Store, rows ...carried) {
	t.Helper()
	if err := insertEvents(t.Context(), s, rows...); err != nil {
		t.Fatal(err)
	}
}

// The engine here has no replicas, so that it refuses what a cluster is asked: by
// then the statement was read and the table found.
func testCatchUp(t *testing.T, s *Store) {
	if err := s.CatchUp(t.Context()); err != nil {
		t.Errorf("without a cluster: %v", err)
	}
	s.config.Cluster = "three"
	_, err := s.Runs(t.Context())
	if err == nil || !strings.Contains(err.Error(), "cluster three") || !strings.Contains(err.Error(), "is not replicated") {
		t.Errorf("runs were read on a replica that was not asked to catch up: %v", err)
	}
}

// direct is a connection for statements that the store does not ask.
func direct(t *testing.T, s *Store) driver.Conn {
	t.Helper()
	c := &s.config
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

// over is the store over another way to the same database.
func over(t *testing.T, s *Store, config column.Config, statements ...fs.FS) *Store {
	t.Helper()
	config.Database, config.Username, config.Password = s.config.Database, s.config.Username, s.config.Password
	if config.Addresses == nil {
		config.Addresses = s.config.Addresses
	}
	db, err := column.Open(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	db = db.With(append(statements, queries)...)
	return &Store{DB: db, config: s.config, ingest: newIngestion(db), laneRows: laneRows}
}

// merge makes the engine merge all parts of a table now.
func merge(t *testing.T, s *Store, table string) {
	t.Helper()
	if err := direct(t, s).Exec(t.Context(), "OPTIMIZE TABLE {table:Identifier} FINAL", column.Bind("table", table)); err != nil {
		t.Fatal(err)
	}
}

// number is the one number that a query gives.
func number(t *testing.T, s *Store, query string, args ...any) int64 {
	t.Helper()
	var n int64
	if err := direct(t, s).QueryRow(t.Context(), query, args...).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// everything is the cutoff of all that the tests store.
func everything() schemas.Cutoff {
	return schemas.NewCutoff([]schemas.PartitionEnd{
		{Topic: "billing.lifecycle", Partition: 0, End: 1 << 40}, {Topic: "billing.usage", Partition: 0, End: 1 << 40},
	})
}

// collect reads a cursor to its end.
func collect[T any](t *testing.T, cursor interface {
	Next() (*T, error)
	Close() error
}, err error,
) []T {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cursor.Close() }()
	var all []T
	for {
		row, err := cursor.Next()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, *row)
	}
}

// events are the events of a scope, row by row.
func events(ctx context.Context, s *Store, scope aggregate.Scope, what aggregate.What) (schemas.Cursor[aggregate.Copy], error) {
	rows, err := s.Events(ctx, scope, what)
	if err != nil {
		return nil, err
	}
	return &wholeRows{Cursor: rows}, nil
}

// wholeRows hands out rows one by one.
type wholeRows struct {
	schemas.Cursor[aggregate.Rows]
	rows *aggregate.Rows
	next int
	row  aggregate.Copy
}

func (w *wholeRows) Next() (*aggregate.Copy, error) {
	if w.rows == nil || w.next == len(w.rows.Times) {
		rows, err := w.Cursor.Next()
		if err != nil {
			return nil, err
		}
		w.rows, w.next = rows, 0
	}
	w.rows.Of.Fill(w.next, &w.row)
	w.next++
	return &w.row, nil
}

func (w *wholeRows) Close() error {
	w.rows = nil
	return w.Cursor.Close()
}
