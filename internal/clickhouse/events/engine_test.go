package events

import (
	"context"
	"io/fs"
	"os"
	"sync"
	"testing"

	"github.com/reckon-billing/reckon/aggregate"
	"github.com/reckon-billing/reckon/internal/clickhouse/clickhousetest"
	"github.com/reckon-billing/reckon/internal/clickhouse/column"
	"github.com/reckon-billing/reckon/internal/clickhouse/scope"
	"github.com/reckon-billing/reckon/internal/embedded/embeddedtest"
	"github.com/reckon-billing/reckon/schemas"
)

func TestMain(m *testing.M) { os.Exit(embeddedtest.Run(m)) }

// databases are those of the stores that are tested.
var databases sync.Map //nolint:gochecknoglobals // a store does not know its database, which tests look into

// open is a store of a database of its own.
func open(t testing.TB, address, user, password string) *Store {
	t.Helper()
	d := clickhousetest.Migrated(t, address, user, password)
	s := New(d.DB)
	databases.Store(s, d)
	return s
}

func config(s *Store) column.Config { return database(s).Config }

func database(s *Store) *clickhousetest.Database {
	d, _ := databases.Load(s)
	return d.(*clickhousetest.Database)
}

// over is the store over another way to the same database, or with other statements.
func over(t *testing.T, s *Store, way column.Config, statements ...fs.FS) *Store {
	t.Helper()
	d := database(s)
	db := d.Over(t, way).With(append(statements, queries, scope.Parts)...)
	other := &Store{db: db, ingest: newIngestion(db), laneRows: laneRows}
	databases.Store(other, d)
	return other
}

// TestOnTheEngine runs everything that needs the real engine on one of them,
// each test in a database of its own.
func TestOnTheEngine(t *testing.T) {
	endpoints := embeddedtest.Start(t).Endpoints()
	for _, test := range []struct {
		name string
		run  func(*testing.T, *Store)
	}{
		{"events come back as they were, whatever they hold", testEventsRoundTrip},
		{"what a column cannot hold exactly is refused", testRefusesWhatDoesNotFit},
		{"any Kafka timestamp is stored and ordered by", testKafkaTimestamps},
		{"events come back as they were, compressed on the way", testCompressed},
		{"O6: copies of dead letters are owed until they are written", testOwedCopies},
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
		{"stray copies are found with all their copies", testStrayCopies},
		{"no event is ever stored without its identity", testIdentitiesFirst},
		{"stray copies are found wherever they lie among millions", testStrayCopiesAmongMany},
		{"a row that cannot be read back breaks its account alone", testBrokenRow},
		{"A14: dead letters keep every byte", testDeadLetters},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, open(t, endpoints.Native, endpoints.User, endpoints.Password)) })
	}
}

// events are the events of a scope, row by row.
func events(ctx context.Context, s *Store, of aggregate.Scope, what aggregate.What) (schemas.Cursor[aggregate.Copy], error) {
	rows, err := s.Events(ctx, of, what)
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
