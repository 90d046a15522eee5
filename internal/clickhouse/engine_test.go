package clickhouse

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/reckon-billing/reckon/internal/clickhouse/clickhousetest"
	"github.com/reckon-billing/reckon/internal/clickhouse/column"
	"github.com/reckon-billing/reckon/internal/embedded/embeddedtest"
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
		{"a store of today keeps its runs' numbers", testRunsOfToday},
		{"a store whose lines have no numbers gets them", testLinesWithoutNumbers},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, open(t, 0)) })
	}
	for _, test := range []struct {
		name string
		run  func(*testing.T, *Store)
	}{
		{"the highest run's edge or tombstone counts", testEdges},
		{"late events mark what they touch", testMarkTouched},
		{"200 races for one run number keep one run", testAddRunRaces},
		{"runs and seals come back as they were", testBook},
		{"half a million runs of another kind cost seals nothing", testOtherKinds},
		{"what is written twice is there once", testLedgerTwice},
		{"a period is stored with its items, its coupon and its events", testPeriodColumns},
		{"R3: what is forgotten is what is named, and can be written again", testForget},
		{"T8: events that bill nothing are named by where they lie", testAnomaliesAreNamed},
		{"T8: a survey holds when all of it is there, and those before it go", testSurveys},
		{"T8: what runs tell stands from their seal until another touches it", testWhatStands},
		{"invoiced lines are those of earlier runs with a header", testInvoiced},
		{"reports come in the order of the contract", testReportOrder},
		{"two rows of a line in one document are two", testTwoRowsOfALine},
		{"the view for finance shows local times and its columns in order", testUsageReportView},
		{"S3: text with quotes is data everywhere", testQuotes},
		{"on a cluster nothing is read before the replica has caught up", testCatchUp},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := open(t, 0)
			if _, err := s.Migrate(t.Context(), clickhousetest.Noon()); err != nil {
				t.Fatal(err)
			}
			test.run(t, s)
		})
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

// config is how the store's database is reached.
func config(s *Store) column.Config {
	c := &s.config
	return column.Config{Addresses: c.Addresses, Database: c.Database, Username: c.Username, Password: c.Password}
}
