package events

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/reckon-billing/reckon/aggregate"
	"github.com/reckon-billing/reckon/internal/clickhouse/clickhousetest"
	"github.com/reckon-billing/reckon/internal/clickhouse/column"
)

func testCompressed(t *testing.T, s *Store) {
	testEventsRoundTrip(t, over(t, s, column.Config{Compress: true}))
}

// testWriterAfterOutage cuts the connections that lie in the pool.
func testWriterAfterOutage(t *testing.T, s *Store) {
	way := clickhousetest.NewWay(t, config(s).Addresses[0])
	s = over(t, s, column.Config{Addresses: []string{way.Address}})
	insert := func(offset int64) error {
		return clickhousetest.InsertEvents(t.Context(), s, clickhousetest.UsageEvent("a", "r", fmt.Sprint(offset), clickhousetest.Noon(), offset))
	}
	for offset := range int64(3) {
		if err := insert(offset); err != nil {
			t.Fatalf("insert %d: %v", offset, err)
		}
		way.Cut(offset == 0)
	}
	// A failed insert is told of, and the next one has a connection of its own.
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := clickhousetest.InsertEvents(ctx, s, clickhousetest.UsageEvent("a", "r", "no", clickhousetest.Noon(), 9))
	if !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if err := clickhousetest.Direct(t, config(s)).Exec(t.Context(), "RENAME TABLE events TO hidden"); err != nil {
		t.Fatal(err)
	}
	if err := insert(10); err == nil || !strings.Contains(err.Error(), "insert into events") {
		t.Errorf("without a table: %v", err)
	}
	if err := clickhousetest.Direct(t, config(s)).Exec(t.Context(), "RENAME TABLE hidden TO events"); err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for offset := range int64(8) {
		all.Go(func() {
			if err := insert(20 + offset); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if got := clickhousetest.Number(t, config(s), "SELECT toInt64(count()) FROM events"); got != 11 {
		t.Errorf("%d events, want 11", got)
	}
	// A batch that was stored by itself and comes again is dropped whole, also by
	// another connection.
	if err := insert(2); err != nil {
		t.Error(err)
	}
	if got := clickhousetest.Number(t, config(s), "SELECT toInt64(count()) FROM events"); got != 11 {
		t.Errorf("%d events after a repeated batch, want 11", got)
	}
}

func TestAServerThatHangsIsNoticedByAnInsert(t *testing.T) {
	db, err := column.Open(column.Config{Addresses: []string{silent(t)}, Database: "reckon", Username: "reckon"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	s := New(db)
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	err = clickhousetest.InsertEvents(ctx, s, clickhousetest.UsageEvent("a", "r", "1", clickhousetest.Noon(), 1))
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("insert: %v", err)
	}
	cursor, err := events(ctx, s, aggregate.Scope{From: clickhousetest.Noon(), To: clickhousetest.Noon().Add(1)}, aggregate.Lifecycle)
	if err == nil {
		_, err = cursor.Next()
		_ = cursor.Close()
	}
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("read: %v", err)
	}
}

// silent listens and never answers.
func silent(t *testing.T) (address string) {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l.Addr().String()
}
