package clickhouse

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	driver "github.com/ClickHouse/clickhouse-go/v2"
	native "github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

//go:embed queries/*.sql queries/parts/*.sql
var queries embed.FS

// sql is the text of queries/NAME.sql, in which {{PART}} stands for that of
// queries/parts/PART.sql.
func sql(name string) (string, error) {
	text, err := queries.ReadFile("queries/" + name + ".sql")
	if err != nil {
		return "", fmt.Errorf("query %s: %w", name, err)
	}
	whole := string(text)
	for {
		before, rest, found := strings.Cut(whole, "{{")
		if !found {
			return whole, nil
		}
		part, after, _ := strings.Cut(rest, "}}")
		if text, err = queries.ReadFile("queries/parts/" + part + ".sql"); err != nil {
			return "", fmt.Errorf("query %s: %w", name, err)
		}
		whole = before + strings.TrimSpace(string(text)) + after
	}
}

// bind is a bound parameter: {name:Type} in the text.
func bind(name string, value any) any {
	if t, ok := value.(time.Time); ok {
		return driver.DateNamed(name, t, driver.MilliSeconds)
	}
	return driver.Named(name, value)
}

// exec runs a statement that gives no rows.
func (s *Store) exec(ctx context.Context, name string, args ...any) error {
	text, err := sql(name)
	if err != nil {
		return err
	}
	if err := s.conn.Exec(ctx, text, args...); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// row scans the one row of a query.
func (s *Store) row(ctx context.Context, name string, dest []any, args ...any) error {
	text, err := sql(name)
	if err != nil {
		return err
	}
	if err := s.conn.QueryRow(ctx, text, args...).Scan(dest...); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// cursor streams the rows of a query: two blocks at most are held.
type cursor struct {
	name   string
	ctx    context.Context //nolint:containedctx // of the query, to say why it ended
	rows   native.Rows
	cancel context.CancelFunc
	err    error
}

// stream starts a query. The cursor has to be closed.
func (s *Store) stream(ctx context.Context, name string, args ...any) (*cursor, error) {
	text, err := sql(name)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	rows, err := s.conn.Query(ctx, text, args...)
	if err != nil {
		err = noEnd(ctx, err)
		cancel()
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return &cursor{name: name, ctx: ctx, rows: rows, cancel: cancel}, nil
}

// next scans the next row; io.EOF comes after the last, and only when the
// server said that it was the last.
func (c *cursor) next(dest ...any) error {
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
// concern any more: next has told of every failure that a reader met.
func (c *cursor) Close() error {
	if c.rows == nil {
		return nil
	}
	c.cancel()
	_ = c.rows.Close()
	c.rows = nil
	return nil
}

// each runs a query to its end, scanning each row into dest before yield.
func (s *Store) each(ctx context.Context, name string, dest []any, yield func() error, args ...any) error {
	rows, err := s.stream(ctx, name, args...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }() // never fails
	for {
		switch err := rows.next(dest...); {
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

// insert writes columns, one slice for each column that queries/NAME.sql names,
// all of one length. Nothing is written when there is no row. With a token, an
// insert with the token of an earlier one is dropped by the server; without,
// every insert is written.
func (s *Store) insert(ctx context.Context, name, token string, columns ...any) error {
	ctx, cancel := context.WithTimeoutCause(ctx, insertPatience, errSilent)
	defer cancel()
	if err := s.insertColumns(ctx, name, token, columns); err != nil {
		if errors.Is(context.Cause(ctx), errSilent) {
			err = errSilent
		}
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

func (s *Store) insertColumns(ctx context.Context, name, token string, columns []any) error {
	text, err := sql(name)
	if err != nil {
		return err
	}
	// deduplicate_insert overrides insert_deduplicate since 26.2; without it the
	// server drops a block with the bytes of an earlier one, also when a DELETE
	// has taken that one's rows away.
	settings := driver.Settings{"deduplicate_insert": "disable"}
	if token != "" {
		settings = driver.Settings{"deduplicate_insert": "enable", "insert_deduplication_token": token}
	}
	ctx = driver.Context(ctx, driver.WithSettings(settings))
	batch, err := s.conn.PrepareBatch(ctx, text)
	if err != nil {
		return err
	}
	defer func() { _ = batch.Close() }() // what matters came from Send
	if got := len(batch.Columns()); got != len(columns) {
		return fmt.Errorf("%d columns for a statement of %d", len(columns), got)
	}
	for i, column := range columns {
		if err := batch.Column(i).Append(column); err != nil {
			return fmt.Errorf("column %s: %w", batch.Columns()[i].Name(), err)
		}
	}
	if err := batch.Send(); err != nil {
		return err
	}
	return nil
}
