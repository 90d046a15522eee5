package column

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"sync/atomic"
	"time"

	"github.com/ClickHouse/ch-go"
)

// revision is the native protocol that we speak. It is pinned, because from
// 54465 on the server sends sparse columns, which the library does not read.
const revision = 54460

// nativeClient is a connection that is read and written by column, for where
// millions of rows go through. Everything else uses pool.conn.
type nativeClient struct {
	*ch.Client
	conn *nativeConn
	// server is the one that it is to, once it was asked.
	server Server
}

// connect makes a connection. It is counted among the pool's: what cuts those cuts it.
func (p *pool) connect(ctx context.Context) (client *nativeClient, err error) {
	err = p.first(ctx, func(address string) error {
		if client, err = p.connectTo(ctx, address); err != nil {
			return fmt.Errorf("connect to %s: %w", address, err)
		}
		return nil
	})
	return client, err
}

// connectKept makes a connection to the server that is kept to.
func (db *DB) connectKept(ctx context.Context) (*nativeClient, error) {
	c, err := db.connect(ctx)
	if err != nil {
		return nil, err
	}
	if err := db.keptTo(ctx, c); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

func (p *pool) connectTo(ctx context.Context, address string) (*nativeClient, error) {
	dialled, err := p.connections.dial(ctx, address, p.config.TLS)
	if err != nil {
		return nil, err
	}
	beneath, ok := dialled.(*idleTimeoutConn)
	if !ok {
		return nil, errors.Join(fmt.Errorf("a connection of type %T", dialled), dialled.Close())
	}
	conn := &nativeConn{idleTimeoutConn: beneath}
	client, err := ch.Connect(ctx, conn, ch.Options{
		Database: p.config.Database, User: p.config.Username, Password: p.config.Password,
		Settings: nativeSettings(p.settings()), Compression: p.compression(conn.RemoteAddr()),
		ProtocolVersion: revision, HandshakeTimeout: dialTimeout, ReadTimeout: ch.NoTimeout, // see nativeConn
	})
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return &nativeClient{Client: client, conn: conn}, nil
}

// compression is none where bytes cost less than packing them.
func (p *pool) compression(to net.Addr) ch.Compression {
	if a, ok := to.(*net.TCPAddr); ok && a.IP.IsLoopback() && !p.config.Compress {
		return ch.CompressionDisabled
	}
	return ch.CompressionLZ4
}

// nativeSettings are the settings in the library's form, by name.
func nativeSettings(settings Settings) []ch.Setting {
	all := make([]ch.Setting, 0, len(settings))
	for name, value := range settings {
		all = append(all, ch.Setting{Key: name, Value: fmt.Sprint(value), Important: true})
	}
	slices.SortFunc(all, func(a, b ch.Setting) int { return cmp.Compare(a.Key, b.Key) })
	return all
}

var errMute = errors.New("clickhouse has said nothing for " + idleTimeout.String())

// nativeConn is a connection whose reads end when the server was silent for long,
// and at once when they are no longer wanted. The library's own limits are not
// used: it takes an expired one for a reason to read again.
type nativeConn struct {
	*idleTimeoutConn
	ended atomic.Bool
}

// SetReadDeadline does nothing.
func (c *nativeConn) SetReadDeadline(time.Time) error { return nil }

// Read reads what there is.
func (c *nativeConn) Read(b []byte) (int, error) {
	c.silent.Reset(idleTimeout)
	defer c.silent.Stop()
	n, err := c.Conn.Read(b)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		if err = errMute; c.ended.Load() {
			err = net.ErrClosed
		}
	}
	return n, err
}

// interrupt ends reading for good. Writing still goes: the server is told that
// its query is cancelled.
func (c *nativeConn) interrupt() {
	c.ended.Store(true)
	_ = c.Conn.SetReadDeadline(longAgo()) // a closed one has no reader
}
