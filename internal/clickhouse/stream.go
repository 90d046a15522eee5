package clickhouse

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"
	driver "github.com/ClickHouse/clickhouse-go/v2"
)

// stream reads the blocks of a query by column: a goroutine decodes one block
// while the one before is used.
type stream[B proto.Result] struct {
	name   string
	cancel context.CancelFunc
	// The sets of columns go round: decoded into, handed out, given back.
	free, full chan B
	// err is why full was closed, nil when the server said that it was the end.
	err error
	// out is what was handed out last.
	out    B
	held   bool
	closed bool
}

// openStream starts a query whose blocks are decoded into the sets in turn. The
// stream has to be closed.
func openStream[B proto.Result](ctx context.Context, s *Store, name string, settings driver.Settings, args []any, sets ...B) (*stream[B], error) {
	text, err := sql(name)
	if err != nil {
		return nil, err
	}
	return openStreamText(ctx, s, name, text, settings, args, sets...)
}

func openStreamText[B proto.Result](ctx context.Context, s *Store, name, text string, settings driver.Settings, args []any, sets ...B) (*stream[B], error) {
	bound, err := parameters(args)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	ctx, cancel := context.WithCancel(ctx)
	b := &stream[B]{name: name, cancel: cancel, free: make(chan B, len(sets)), full: make(chan B, len(sets))}
	for _, set := range sets {
		b.free <- set
	}
	go b.run(ctx, s, ch.Query{Body: text, Parameters: bound, Settings: nativeSettings(settings)})
	return b, nil
}

// run carries the query out on a connection of its own. However it ends, that
// connection is closed, and with it the query on the server.
func (b *stream[B]) run(ctx context.Context, s *Store, query ch.Query) {
	defer close(b.full)
	client, err := s.connect(ctx)
	if err != nil {
		b.err = fmt.Errorf("%s: %w", b.name, noEnd(ctx, err))
		return
	}
	defer func() { _ = client.Close() }() // what matters came from Do
	stop := context.AfterFunc(ctx, client.conn.interrupt)
	defer stop()
	d := &decoding[B]{ctx: ctx, free: b.free, full: b.full}
	query.Result, query.OnResult = d, d.hand
	if err := client.Do(ctx, query); err != nil {
		b.err = fmt.Errorf("%s: %w", b.name, noEnd(ctx, err))
	}
}

// next is the next block; it is valid until the call after. io.EOF comes after
// the last, and only when the server said that it was the last.
func (b *stream[B]) next() (B, error) {
	var none B
	if b.closed {
		return none, fmt.Errorf("%s: read after close", b.name)
	}
	if b.held {
		b.held = false
		b.free <- b.out // has room for all sets
	}
	out, more := <-b.full
	switch {
	case more:
		b.out, b.held = out, true
		return out, nil
	case b.err != nil:
		return none, b.err
	}
	return none, io.EOF
}

// close ends the query wherever it is, and the goroutine with it.
func (b *stream[B]) close() {
	b.closed = true
	b.cancel()
	for range b.full { // what was decoded in vain
	}
}

// decoding takes the blocks of a query as they come.
type decoding[B proto.Result] struct {
	ctx        context.Context //nolint:containedctx // the library's interface hands none in
	free, full chan B
	into       B
	has        bool
}

// DecodeResult waits for a set of columns and decodes a block into it.
func (d *decoding[B]) DecodeResult(r *proto.Reader, version int, block proto.Block) error {
	if !d.has {
		select {
		case d.into = <-d.free:
			d.has = true
		case <-d.ctx.Done():
			return d.ctx.Err()
		}
	}
	return d.into.DecodeResult(r, version, block)
}

// hand gives a decoded block to the reader; the first one has no rows.
func (d *decoding[B]) hand(_ context.Context, block proto.Block) error {
	switch {
	case block.Rows == 0:
		return nil
	case !d.has:
		return errors.New("a block without columns")
	}
	d.has = false
	d.full <- d.into // has room for all sets
	return nil
}

// noEnd is an error of reading that nobody takes for the end of the rows: both
// libraries say io.EOF of a connection that the server closed. Where the context
// has ended, that is the reason.
func noEnd(ctx context.Context, err error) error {
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.Is(err, io.EOF):
		return fmt.Errorf("%v: %w", err, io.ErrUnexpectedEOF) //nolint:errorlint // it must not be io.EOF
	}
	return err
}
