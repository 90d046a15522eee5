package column

import (
	"fmt"
	"net"
	"os"
	"testing"
	"testing/fstest"

	"github.com/ClickHouse/ch-go"

	"github.com/reckon-billing/reckon/internal/embedded/embeddedtest"
)

func TestMain(m *testing.M) { os.Exit(embeddedtest.Run(m)) }

// onTheEngine is a database with a table t of a column n, and statements about it.
func onTheEngine(t *testing.T) *DB {
	t.Helper()
	endpoints := embeddedtest.Start(t).Endpoints()
	config := Config{Addresses: []string{endpoints.Native}, Username: endpoints.User, Password: endpoints.Password}
	outside, err := Open(config)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = outside.Close() }()
	config.Database = "test"
	db, err := Open(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	for _, statement := range []string{
		"CREATE DATABASE test",
		"CREATE TABLE test.t (n Int64) ENGINE = MergeTree ORDER BY n SETTINGS non_replicated_deduplication_window = 100",
	} {
		if err := outside.ExecText(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	return db.With(fstest.MapFS{
		"queries/count.sql": {Data: []byte("SELECT toInt64(count()) FROM t")},
	})
}

func count(t *testing.T, db *DB) (n int64) {
	t.Helper()
	if err := db.Row(t.Context(), "count", []any{&n}); err != nil {
		t.Fatal(err)
	}
	return n
}

// rowsOf are blocks of one column, each of which has the numbers.
func rowsOf(blocks ...Int64s) Insert {
	insert := Insert{Table: "t"}
	for _, block := range blocks {
		insert.Blocks = append(insert.Blocks, Input{{Name: "n", Data: block}})
	}
	return insert
}

// TestInserts cuts the connections that lie in the pool, from either end, and holds
// what a token does.
func TestInserts(t *testing.T) {
	db := onTheEngine(t)
	for i := range int64(3) {
		if err := db.Insert(t.Context(), "", rowsOf(Int64s{i})); err != nil {
			t.Fatalf("insert %d: %v", i, err)
		}
		if n := len(db.idle.all); n != 1 {
			t.Fatalf("%d connections after %d inserts one after the other, want 1", n, i+1)
		}
		conn := db.idle.all[0].conn
		if i == 0 {
			_ = conn.Conn.Close()
			continue
		}
		if tcp, ok := conn.Conn.(*net.TCPConn); ok {
			_ = tcp.CloseWrite() // so that the server hangs up
		}
	}
	for i := range 2 { // the same bytes, and they are there again
		if err := db.Insert(t.Context(), "", rowsOf(Int64s{7}, Int64s{8, 9}), rowsOf(Int64s{10})); err != nil {
			t.Fatal(err)
		}
		if got, want := count(t, db), int64(3+4*(i+1)); got != want {
			t.Errorf("%d rows after %d inserts without a token, want %d", got, i+1, want)
		}
	}
	for i := range 2 { // other rows, and they are dropped
		if err := db.Insert(t.Context(), "token", rowsOf(Int64s{int64(20 + i)})); err != nil {
			t.Fatal(err)
		}
		if got := count(t, db); got != 12 {
			t.Errorf("%d rows after %d inserts with one token, want 12", got, i+1)
		}
	}
}

func TestBytesArePackedWhereTheWayIsLong(t *testing.T) {
	near, far := &net.TCPAddr{IP: net.IPv6loopback}, &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1)}
	for _, test := range []struct {
		to     net.Addr
		always bool
		want   ch.Compression
	}{{near, false, ch.CompressionDisabled}, {near, true, ch.CompressionLZ4}, {far, false, ch.CompressionLZ4}} {
		p := &pool{config: Config{Compress: test.always}}
		if got := p.compression(test.to); got != test.want {
			t.Errorf("%v: %v, want %v", fmt.Sprint(test.to), got, test.want)
		}
	}
}
