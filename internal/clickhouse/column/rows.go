package column

import (
	"context"
	"errors"
	"fmt"
	"io"

	native "github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// Rows streams the rows of a query, row by row: two blocks at most are held. Where
// there are millions of rows, see [Stream].
type Rows struct {
	name   string
	ctx    context.Context //nolint:containedctx // of the query, to say why it ended
	rows   native.Rows
	cancel context.CancelFunc
	err    error
}

// Rows starts a query. The rows have to be closed.
func (db *DB) Rows(ctx context.Context, name string, args ...any) (*Rows, error) {
	text, err := db.statement(name)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	rows, err := db.conn.Query(ctx, text, args...)
	if err != nil {
		err = db.kept(noEnd(ctx, err))
		cancel()
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	all := &Rows{name: name, ctx: ctx, rows: rows, cancel: cancel}
	if err := db.kept(nil); err != nil {
		return nil, fmt.Errorf("%s: %w", name, errors.Join(err, all.Close()))
	}
	return all, nil
}

// Next scans the next row; io.EOF comes after the last, and only when the
// server said that it was the last.
func (c *Rows) Next(dest ...any) error {
	switch {
	case c.err != nil:
	case c.rows == nil:
		c.err = fmt.Errorf("%s: read after close", c.name)
	case c.rows.Next():
		if err := c.rows.Scan(dest...); err != nil {
			c.err = fmt.Errorf("%s: %w", c.name, noEnd(c.ctx, err))
		}
	case c.rows.Err() != nil:
		c.err = fmt.Errorf("%s: %w", c.name, noEnd(c.ctx, c.rows.Err()))
	default:
		c.err = io.EOF
	}
	return c.err
}

// Close ends the query wherever it is. What the server still says is nobody's
// concern any more: Next has told of every failure that a reader met.
func (c *Rows) Close() error {
	if c.rows == nil {
		return nil
	}
	c.cancel()
	_ = c.rows.Close()
	c.rows = nil
	return nil
}

// Each runs a query to its end, scanning each row into dest before yield.
func (db *DB) Each(ctx context.Context, name string, dest []any, yield func() error, args ...any) error {
	rows, err := db.Rows(ctx, name, args...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }() // never fails
	for {
		switch err := rows.Next(dest...); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		if err := yield(); err != nil {
			return err
		}
	}
}

// All reads a query to its end, each row by scan.
func All[T any](ctx context.Context, db *DB, name string, scan func(*Rows) (T, error), args ...any) ([]T, error) {
	rows, err := db.Rows(ctx, name, args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }() // never fails
	var all []T
	for {
		row, err := scan(rows)
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return nil, err
		}
		all = append(all, row)
	}
}

// Cursor makes values of rows, one by one.
type Cursor[T any] struct {
	*Rows
	Scan func(*Rows) (T, error)

	row T
}

// Next is the next value, valid until the call after; io.EOF comes after the last.
func (c *Cursor[T]) Next() (row *T, err error) {
	if c.row, err = c.Scan(c.Rows); err != nil {
		return nil, err
	}
	return &c.row, nil
}
