package clickhouse

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
	"github.com/reckon-billing/reckon/internal/clickhouse/column"
)

func testCompressed(t *testing.T, s *Store) {
	testEventsRoundTrip(t, over(t, s, column.Config{Compress: true}))
}

// testWriterAfterOutage cuts the connections that lie in the pool.
func testWriterAfterOutage(t *testing.T, s *Store) {
	way := newWay(t, s.config.Addresses[0])
	s = over(t, s, column.Config{Addresses: []string{way.address}})
	insert := func(offset int64) error {
		return insertEvents(t.Context(), s, usageEvent("a", "r", fmt.Sprint(offset), noon(), offset))
	}
	for offset := range int64(3) {
		if err := insert(offset); err != nil {
			t.Fatalf("insert %d: %v", offset, err)
		}
		way.cut(offset == 0)
	}
	// A failed insert is told of, and the next one has a connection of its own.
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := insertEvents(ctx, s, usageEvent("a", "r", "no", noon(), 9))
	if !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if err := direct(t, s).Exec(t.Context(), "RENAME TABLE events TO hidden"); err != nil {
		t.Fatal(err)
	}
	if err := insert(10); err == nil || !strings.Contains(err.Error(), "insert_events") {
		t.Errorf("without a table: %v", err)
	}
	if err := direct(t, s).Exec(t.Context(), "RENAME TABLE hidden TO events"); err != nil {
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
	if got := number(t, s, "SELECT toInt64(count()) FROM events"); got != 11 {
		t.Errorf("%d events, want 11", got)
	}
	// A batch that was stored by itself and comes again is dropped whole, also by
	// another connection.
	if err := insert(2); err != nil {
		t.Error(err)
	}
	if got := number(t, s, "SELECT toInt64(count()) FROM events"); got != 11 {
		t.Errorf("%d events after a repeated batch, want 11", got)
	}
}

func TestAServerThatHangsIsNoticedByAnInsert(t *testing.T) {
	s, err := Open(Config{Addresses: []string{silent(t)}, Database: "reckon", Username: "reckon"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	err = insertEvents(ctx, s, usageEvent("a", "r", "1", noon(), 1))
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("insert: %v", err)
	}
	cursor, err := events(ctx, s, aggregate.Scope{From: noon(), To: noon().Add(1)}, aggregate.Lifecycle)
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
