package column

import (
	"context"
	"io"
	"net"
	"sync"
	"testing"
	"testing/fstest"
	"time"
)

// hung listens and never answers.
func hung(t *testing.T) (addr string) {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() { _, _ = io.Copy(io.Discard, conn) }) // until the other end hangs up
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		all.Wait()
	})
	return l.Addr().String()
}

func TestAServerThatHangsHoldsNobodyWhoIsToldToStop(t *testing.T) {
	db, err := Open(Config{Addresses: []string{hung(t)}, Database: "reckon", Username: "reckon"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	db = db.With(fstest.MapFS{"queries/any.sql": {Data: []byte("SELECT 1")}})
	db.EndWith(ctx)
	asks := map[string]func() error{
		"a ping":  func() error { return db.Ping(ctx) },
		"a query": func() error { return db.Row(ctx, "any", []any{new(uint8)}) },
		"an insert": func() error {
			return db.Insert(ctx, "", Insert{Table: "t", Blocks: []Input{{{Name: "n", Data: Int64s{1}}}}})
		},
	}
	type end struct {
		name string
		err  error
	}
	ended := make(chan end, len(asks))
	for name, ask := range asks {
		go func() { ended <- end{name, ask()} }()
	}
	stop()
	limit := time.After(5 * time.Second)
	for range asks {
		select {
		case e := <-ended:
			if e.err == nil {
				t.Errorf("%s has an answer", e.name)
			}
		case <-limit:
			t.Fatal("they have not ended 5 s after they were told to")
		}
	}
}

// TestALongAnswerIsNotBrokenOff: the library's limit is for a whole answer; here
// it is for silence.
func TestALongAnswerIsNotBrokenOff(t *testing.T) {
	ours, theirs := net.Pipe()
	t.Cleanup(func() { _, _ = ours.Close(), theirs.Close() })
	p := &idleTimeoutConn{Conn: ours, of: newConnections()}
	p.silent = time.AfterFunc(time.Hour, func() { t.Error("silence is told of too early") })
	p.silent.Stop()
	if err := p.SetReadDeadline(time.Now().Add(time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	go func() {
		time.Sleep(20 * time.Millisecond) // longer than the library's limit
		_, _ = theirs.Write([]byte("x"))
	}()
	if n, err := p.Read(make([]byte, 1)); n != 1 || err != nil {
		t.Errorf("read %d bytes, %v", n, err)
	}
}
