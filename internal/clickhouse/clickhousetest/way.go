package clickhousetest

import (
	"io"
	"net"
	"sync"
	"testing"
)

// Way is a way to the server that can be cut, or to several in turn.
type Way struct {
	Address string
	targets []string
	mu      sync.Mutex
	made    int
	closed  bool
	open    map[*net.TCPConn]bool // to the program
}

// NewWay makes one, until the test ends. Its connections go to the targets in turn.
func NewWay(t *testing.T, targets ...string) *Way {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &Way{Address: l.Addr().String(), targets: targets, open: map[*net.TCPConn]bool{}}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			if near, ok := conn.(*net.TCPConn); ok {
				all.Go(func() { w.serve(t, near) })
			}
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		w.Cut(true)
		all.Wait()
	})
	return w
}

func (w *Way) serve(t *testing.T, near *net.TCPConn) {
	w.mu.Lock()
	if w.closed {
		w.mu.Unlock()
		_ = near.Close()
		return
	}
	target := w.targets[w.made%len(w.targets)]
	w.made++
	w.open[near] = true
	w.mu.Unlock()
	far, err := net.Dial("tcp", target) //nolint:noctx // it is there
	if err != nil {
		t.Error(err)
		return
	}
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

// Cut hangs up, or only says nothing more: the program reads an end then, and may
// still write.
func (w *Way) Cut(both bool) {
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

// Close lets nothing through any more until it is opened again.
func (w *Way) Close(closed bool) {
	w.mu.Lock()
	w.closed = closed
	w.mu.Unlock()
	if closed {
		w.Cut(true)
	}
}
