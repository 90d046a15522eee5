package column

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"
)

// Stream reads the blocks of a query by column: a goroutine decodes one block
// while the one before is used.
type Stream[B Result] struct {
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

// Result is a set of columns to decode into: what embeds a [Block].
type Result = proto.Result

// OpenStream starts a query whose blocks are decoded into the sets in turn. The
// stream has to be closed.
func OpenStream[B Result](ctx context.Context, db *DB, name string, settings Settings, args []any, sets ...B) (*Stream[B], error) {
	text, err := db.statement(name)
	if err != nil {
		return nil, err
	}
	return openStreamText(ctx, db, name, text, settings, args, sets...)
}

func openStreamText[B Result](ctx context.Context, db *DB, name, text string, settings Settings, args []any, sets ...B) (*Stream[B], error) {
	bound, err := parameters(args)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	ctx, cancel := context.WithCancel(ctx)
	b := &Stream[B]{name: name, cancel: cancel, free: make(chan B, len(sets)), full: make(chan B, len(sets))}
	for _, set := range sets {
		b.free <- set
	}
	go b.run(ctx, db, ch.Query{Body: text, Parameters: bound, Settings: nativeSettings(settings)})
	return b, nil
}

// run carries the query out on a connection of its own. However it ends, that
// connection is closed, and with it the query on the server.
func (b *Stream[B]) run(ctx context.Context, db *DB, query ch.Query) {
	defer close(b.full)
	client, err := db.connectKept(ctx)
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
		b.err = fmt.Errorf("%s: %w", b.name, db.kept(noEnd(ctx, err)))
	}
}

// Next is the next block; it is valid until the call after. io.EOF comes after
// the last, and only when the server said that it was the last.
func (b *Stream[B]) Next() (B, error) {
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

// Close ends the query wherever it is, and the goroutine with it.
func (b *Stream[B]) Close() {
	b.closed = true
	b.cancel()
	for range b.full { // what was decoded in vain
	}
}

// decoding takes the blocks of a query as they come.
type decoding[B Result] struct {
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
