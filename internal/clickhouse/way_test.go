package clickhouse

import (
	"io"
	"net"
	"sync"
	"testing"
)

// way is a way to the server that can be cut.
type way struct {
	address string
	mu      sync.Mutex
	open    map[*net.TCPConn]bool // to the program
}

func newWay(t *testing.T, target string) *way {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &way{address: l.Addr().String(), open: map[*net.TCPConn]bool{}}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			if near, ok := conn.(*net.TCPConn); ok {
				all.Go(func() { w.serve(t, near, target) })
			}
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		w.cut(true)
		all.Wait()
	})
	return w
}

func (w *way) serve(t *testing.T, near *net.TCPConn, target string) {
	far, err := net.Dial("tcp", target) //nolint:noctx // it is there
	if err != nil {
		t.Error(err)
		return
	}
	w.mu.Lock()
	w.open[near] = true
	w.mu.Unlock()
	var both sync.WaitGroup
	both.Go(func() {
		_, _ = io.Copy(far, near)
		_ = far.Close()
	})
	_, _ = io.Copy(near, far)
	_, _ = near.Close(), far.Close()
	both.Wait()
	w.mu.Lock()
	delete(w.open, near)
	w.mu.Unlock()
}

// cut hangs up, or only says nothing more: the program reads an end then, and may
// still write.
func (w *way) cut(both bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for conn := range w.open {
		if both {
			_ = conn.SetLinger(0) // without a good-bye
			_ = conn.Close()
		} else {
			_ = conn.CloseWrite()
		}
	}
}
