package clickhouse

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/reckon-billing/reckon/internal/clickhouse/clickhousetest"
	"github.com/reckon-billing/reckon/internal/clickhouse/column"
	"github.com/reckon-billing/reckon/internal/embedded"
	"github.com/reckon-billing/reckon/internal/embedded/embeddedtest"
	"github.com/reckon-billing/reckon/schemas"
)

// two are two servers with the same tables, of which neither has the other's rows, and a
// way to each.
type two struct {
	servers [2]embedded.Endpoints
	ways    [2]*clickhousetest.Way
}

func newTwo(t *testing.T) *two {
	t.Helper()
	one, other := embeddedtest.Two(t)
	s := &two{servers: [2]embedded.Endpoints{one.Endpoints(), other.Endpoints()}}
	for i := range s.servers {
		s.ways[i] = clickhousetest.NewWay(t, s.servers[i].Native)
		if _, err := s.store(t, s.servers[i].Native).Migrate(t.Context(), clickhousetest.Noon()); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func (s *two) store(t *testing.T, addresses ...string) *Store {
	t.Helper()
	e := s.servers[0]
	store, err := Open(Config{Addresses: addresses, Database: "servers", Username: e.User, Password: e.Password})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	return store
}

// asks are something of each kind that a store asks of a server.
func asks() map[string]func(context.Context, *Store) error {
	return map[string]func(context.Context, *Store) error{
		"a row": func(ctx context.Context, s *Store) error {
			_, err := s.NextNumber(ctx)
			return err
		},
		"rows": func(ctx context.Context, s *Store) error {
			_, err := s.Runs(ctx)
			return err
		},
		"a statement": func(ctx context.Context, s *Store) error {
			_, err := s.MarkTouched(ctx, schemas.Run{Number: 9}, nil, clickhousetest.Noon())
			return err
		},
		"a statement in no file": func(ctx context.Context, s *Store) error { return s.db.ExecText(ctx, "SELECT 1") },
		"a stream": func(ctx context.Context, s *Store) error {
			all, err := s.StoredMessages(ctx, nil)
			if err != nil {
				return err
			}
			defer func() { _ = all.Close() }() // what matters came from Next
			if _, err = all.Next(); errors.Is(err, io.EOF) {
				err = nil
			}
			return err
		},
		"an insert": func(ctx context.Context, s *Store) error {
			return s.Mark(ctx, []schemas.PartitionEnd{{Topic: "t", End: 1}})
		},
	}
}

// TestWhoKeepsToAServerIsAnsweredByNoOther (O10): when another address has to answer,
// everything that is asked fails, and names both; whoever keeps to none goes on.
func TestWhoKeepsToAServerIsAnsweredByNoOther(t *testing.T) {
	s := newTwo(t)
	for name, ask := range asks() {
		t.Run(name, func(t *testing.T) {
			s.ways[0].Close(false)
			store := s.store(t, s.ways[0].Address, s.ways[1].Address)
			keeping := store.OneServer()
			if err := ask(t.Context(), keeping); err != nil {
				t.Fatalf("before it keeps to any: %v", err)
			}
			if err := keeping.Keep(t.Context()); err != nil {
				t.Fatal(err)
			}
			for range 2 {
				if err := ask(t.Context(), keeping); err != nil {
					t.Fatalf("while the server answers: %v", err)
				}
			}
			s.ways[0].Close(true)
			// A connection that breaks amid an answer is an error of its own.
			var moved *column.MovedError
			for deadline := time.Now().Add(10 * time.Second); moved == nil && time.Now().Before(deadline); {
				if err := ask(t.Context(), keeping); err == nil {
					t.Fatal("another server answered")
				} else if !errors.As(err, &moved) {
					t.Logf("the connection: %v", err)
				}
			}
			if moved == nil || !strings.HasPrefix(moved.Was, s.ways[0].Address+" ") || !strings.HasPrefix(moved.Is, s.ways[1].Address) {
				t.Errorf("ended with %v, and is to name %s and %s", moved, s.ways[0].Address, s.ways[1].Address)
			}
			if err := ask(t.Context(), store); err != nil {
				t.Errorf("who keeps to none: %v", err)
			}
			// The first is there again: nobody goes back for that, nor keeps to either.
			s.ways[0].Close(false)
			if err := ask(t.Context(), keeping); !errors.As(err, &moved) {
				t.Errorf("later: %v", err)
			}
			err := keeping.Keep(t.Context())
			for _, name := range append([]string{"clickhouse.addresses", "clickhouse.cluster"}, s.ways[0].Address, s.ways[1].Address) {
				if err == nil || !strings.Contains(err.Error(), name) {
					t.Errorf("it then keeps to a server that has other rows: %v; want %s named", err, name)
				}
			}
		})
	}
}

// TestABalancerIsNotTakenForAServer (O10): behind one address there may be several.
func TestABalancerIsNotTakenForAServer(t *testing.T) {
	s := newTwo(t)
	for _, name := range []string{"a stream", "an insert"} {
		t.Run(name, func(t *testing.T) {
			keeping := s.store(t, clickhousetest.NewWay(t, s.servers[0].Native, s.servers[1].Native).Address).OneServer()
			if err := keeping.Keep(t.Context()); err != nil {
				t.Fatal(err)
			}
			var moved *column.MovedError
			for range 4 { // every other stream is answered
				if err := asks()[name](t.Context(), keeping); err != nil && !errors.As(err, &moved) {
					t.Fatal(err)
				}
			}
			if moved == nil || !strings.Contains(moved.Was, port(s.servers[0])) || !strings.Contains(moved.Is, port(s.servers[1])) {
				t.Errorf("ended with %v, and is to name %s and %s", moved, s.servers[0].Native, s.servers[1].Native)
			}
		})
	}
}

func port(e embedded.Endpoints) string { return e.Native[strings.LastIndex(e.Native, ":"):] }

// TestServersThatHaveNotTheSameRowsAreRefused (O10), without a cluster. Those that are
// shards TestDangerousServersAreRefusedByTheNameOfTheSetting refuses.
func TestServersThatHaveNotTheSameRowsAreRefused(t *testing.T) {
	s := newTwo(t)
	one, other := s.servers[0].Native, s.servers[1].Native
	gone := clickhousetest.NewWay(t, one)
	gone.Close(true)
	for name, c := range map[string]struct {
		addresses []string
		names     []string
	}{
		"one server":                  {[]string{one}, nil},
		"one server by two addresses": {[]string{one, s.ways[0].Address}, nil},
		"one that does not answer":    {[]string{gone.Address, one}, nil},
		"two servers":                 {[]string{one, other}, []string{"clickhouse.addresses", one, other, "clickhouse.cluster"}},
		"two servers, one by two":     {[]string{one, s.ways[0].Address, other}, []string{"clickhouse.addresses", one, other}},
		"none of several answers":     {[]string{gone.Address, gone.Address}, []string{gone.Address}},
	} {
		t.Run(name, func(t *testing.T) {
			err := s.store(t, c.addresses...).CheckServers(t.Context())
			if (err == nil) != (c.names == nil) {
				t.Errorf("ended with %v", err)
			}
			for _, name := range c.names {
				if said := fmt.Sprint(err); !strings.Contains(said, name) {
					t.Errorf("%s does not name %s", said, name)
				}
			}
		})
	}
}
