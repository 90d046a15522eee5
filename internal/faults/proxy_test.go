package faults

import (
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// proxy stands between the program and a server, and breaks what goes through.
type proxy struct {
	listener net.Listener
	target   string

	mu     sync.Mutex
	open   map[net.Conn]bool
	refuse bool
	hang   chan struct{} // not nil: nothing moves until it is closed
	onSent func()

	// sent and reads count bytes towards the server, and how often some came.
	sent, reads atomic.Int64
	// mute is how many answers are to be swallowed, each with its connection; see
	// swallow. Muted counts those that were.
	mute, muted atomic.Int64
}

// newProxy listens on a free port until the test ends.
func newProxy(t *testing.T, target string) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // it does not wait
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{listener: l, target: target, open: map[net.Conn]bool{}}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			conn, err := l.Accept()
			if errors.Is(err, net.ErrClosed) {
				return
			}
			if err == nil {
				all.Go(func() { p.serve(conn) })
			}
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		p.thaw()
		p.cut()
		all.Wait()
	})
	return p
}

func (p *proxy) addr() string { return p.listener.Addr().String() }

// cut hangs up every connection.
func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.open {
		_ = c.Close() // its user hears of it
	}
}

// close hangs up and lets nobody in until reopen.
func (p *proxy) close() {
	p.mu.Lock()
	p.refuse = true
	p.mu.Unlock()
	p.cut()
}

func (p *proxy) reopen() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refuse = false
}

// freeze lets nothing through, and hangs nobody up, until thaw.
func (p *proxy) freeze() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.hang == nil {
		p.hang = make(chan struct{})
	}
}

func (p *proxy) thaw() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.hang != nil {
		close(p.hang)
		p.hang = nil
	}
}

// swallow has the answer to the next large insert swallowed and its connection
// cut: the server has stored, and the program never hears.
func (p *proxy) swallow() { p.mute.Store(1) }

// watch has f told of all that is sent from now on; nil for nobody.
func (p *proxy) watch(f func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.onSent = f
}

func (p *proxy) enter(conns ...net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range conns {
		p.open[c] = true
	}
	return !p.refuse
}

func (p *proxy) leave(conns ...net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range conns {
		_ = c.Close() // for the second time mostly
		delete(p.open, c)
	}
}

func (p *proxy) wait() {
	p.mu.Lock()
	hang := p.hang
	p.mu.Unlock()
	if hang != nil {
		<-hang
	}
}

// largeInsert is more than anything sends that is no insert of events.
const largeInsert = 200 << 10

func (p *proxy) serve(client net.Conn) {
	server, err := net.Dial("tcp", p.target) //nolint:noctx // on loopback
	if err != nil {
		_ = client.Close()
		return
	}
	defer p.leave(client, server)
	if !p.enter(client, server) {
		return
	}
	var since atomic.Int64 // bytes sent since the server last said something
	go func() {
		defer p.leave(client, server)
		p.pump(server, client, func(n int) bool {
			since.Add(int64(n))
			p.sent.Add(int64(n))
			p.reads.Add(1)
			p.mu.Lock()
			watch := p.onSent
			p.mu.Unlock()
			if watch != nil {
				watch()
			}
			return true
		})
	}()
	p.pump(client, server, func(int) bool {
		if since.Swap(0) > largeInsert && p.mute.CompareAndSwap(1, 0) {
			// The rest of what the server has to say: the insert is done when it falls
			// silent.
			_ = server.SetReadDeadline(time.Now().Add(1500 * time.Millisecond))
			_, _ = io.Copy(io.Discard, server)
			p.muted.Add(1)
			return false
		}
		return true
	})
}

// pump moves bytes until either end hangs up or pass says no.
func (p *proxy) pump(to, from net.Conn, pass func(n int) bool) {
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		p.wait()
		if n > 0 {
			if !pass(n) {
				return
			}
			if _, err := to.Write(buffer[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}
