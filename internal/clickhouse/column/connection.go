package column

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// How long the server may say nothing while it owes us something. It tells of
// its progress ten times a second while a query runs; a DELETE that waits for
// all replicas is silent until it is done.
const (
	dialTimeout = 10 * time.Second
	idleTimeout = 5 * time.Minute
	// insertPatience is for an insert from its first byte to its acknowledgement:
	// a server that hangs is noticed, and the log gives the rows again.
	insertPatience = 30 * time.Second
	// stopPatience is how long our queries may take to end when they are told to.
	stopPatience = 500 * time.Millisecond
)

var errSilent = errors.New("clickhouse has not answered an insert within " + insertPatience.String())

// connections are those of a pool, so that they can be cut: a write to a server
// that hangs does not hear of a context that ends.
type connections struct {
	mu   sync.Mutex
	open map[*idleTimeoutConn]struct{}
	done bool
}

func newConnections() *connections { return &connections{open: map[*idleTimeoutConn]struct{}{}} }

// dial connects, unless the connections were cut.
func (c *connections) dial(ctx context.Context, address string, security *tls.Config) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	var dialer interface {
		DialContext(ctx context.Context, network, address string) (net.Conn, error)
	} = &net.Dialer{}
	if security != nil {
		dialer = &tls.Dialer{Config: security}
	}
	raw, err := dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	conn := &idleTimeoutConn{Conn: raw, of: c, address: address}
	conn.silent = time.AfterFunc(idleTimeout, func() { _ = raw.SetReadDeadline(longAgo()) }) // a closed one has no reader
	conn.silent.Stop()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.done {
		return nil, errors.Join(net.ErrClosed, raw.Close())
	}
	c.open[conn] = struct{}{}
	return conn, nil
}

// cut closes them all and lets no new one be made.
func (c *connections) cut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.done = true
	for conn := range c.open {
		_ = conn.Conn.Close() // its user hears of it
	}
}

// cutAllBut closes those that do not go to an address; new ones can be made.
func (c *connections) cutAllBut(address string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for conn := range c.open {
		if conn.address != address {
			_ = conn.Conn.Close() // its user hears of it
		}
	}
}

func longAgo() time.Time { return time.Unix(1, 0) }

// idleTimeoutConn is a connection with an idle timeout: reads end when the server was
// silent for long, however long the whole of an answer takes.
// The library's own limit is for the whole of an answer, and would break off a
// month that takes longer to read.
type idleTimeoutConn struct {
	net.Conn
	of      *connections
	address string
	// limited tells that the library asked for a limit.
	limited atomic.Bool
	silent  *time.Timer
}

// SetReadDeadline takes the library's limit as a wish for one, and the zero time
// as the end of it.
func (p *idleTimeoutConn) SetReadDeadline(at time.Time) error {
	p.limited.Store(!at.IsZero())
	return p.Conn.SetReadDeadline(time.Time{})
}

// Read reads what there is.
func (p *idleTimeoutConn) Read(b []byte) (int, error) {
	if p.limited.Load() {
		p.silent.Reset(idleTimeout)
		defer p.silent.Stop()
	}
	return p.Conn.Read(b)
}

// The library looks by it whether the server hung up on a connection that lies
// in its pool; without, each of them would fail one statement after an outage.
var _ syscall.Conn = (*idleTimeoutConn)(nil)

// SyscallConn is that of the connection beneath, under TLS too.
func (p *idleTimeoutConn) SyscallConn() (syscall.RawConn, error) {
	beneath := p.Conn
	if secured, ok := beneath.(*tls.Conn); ok {
		beneath = secured.NetConn()
	}
	if c, ok := beneath.(syscall.Conn); ok {
		return c.SyscallConn()
	}
	return nil, errors.ErrUnsupported
}

// Close closes the connection and forgets it.
func (p *idleTimeoutConn) Close() error {
	p.of.mu.Lock()
	delete(p.of.open, p)
	p.of.mu.Unlock()
	return p.Conn.Close()
}
