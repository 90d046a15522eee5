package kafka

import (
	"context"
	"errors"
	"net"
	"sync"
)

// connections are those of a group member, so that they can be cut: kafka-go
// waits for a group that is sharing itself out anew, half a minute if it must.
type connections struct {
	mu   sync.Mutex
	open map[net.Conn]struct{}
	ctx  context.Context //nolint:containedctx // ends the dials under way
	stop context.CancelFunc
}

func newConnections() *connections {
	ctx, stop := context.WithCancel(context.Background())
	return &connections{open: map[net.Conn]struct{}{}, ctx: ctx, stop: stop}
}

var errCut = errors.New("connection cut on leaving the group")

// dial connects, unless the connections were cut.
func (c *connections) dial(ctx context.Context, network, address string) (net.Conn, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(c.ctx, func() { cancel(errCut) })()
	conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ctx.Err() != nil {
		return nil, errors.Join(errCut, conn.Close())
	}
	c.open[conn] = struct{}{}
	return &tracked{Conn: conn, of: c}, nil
}

// cut closes them all and lets no new one be made.
func (c *connections) cut() {
	c.stop()
	c.mu.Lock()
	defer c.mu.Unlock()
	for conn := range c.open {
		_ = conn.Close() // its user hears of it
	}
}

// tracked is a connection that is known until it is closed.
type tracked struct {
	net.Conn
	of *connections
}

// Close closes the connection and forgets it.
func (t *tracked) Close() error {
	t.of.mu.Lock()
	delete(t.of.open, t.Conn)
	t.of.mu.Unlock()
	return t.Conn.Close()
}
