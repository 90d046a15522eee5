package clickhouse

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"
	driver "github.com/ClickHouse/clickhouse-go/v2"

	"github.com/reckon-billing/reckon/schemas"
)

// writer is a connection to insert through, with the columns that the rows of a
// table are gathered in: both are used again, by one batch at a time.
type writer struct {
	*nativeClient
	periods      *periodRows
	lines        *lineRows
	living, dead *stateRows
	minutes      *minuteRows
	hashes       *hashRows
	headers      *headerRows
}

// table is rows by column.
type table[T any] interface {
	// add refuses a row with a number that a column cannot hold. Rows that know
	// their run themselves go by that.
	add(run int64, row *T) error
	input() proto.Input
}

// monthly is what the tables of a seal have in common.
type monthly struct {
	month monthText
	all   proto.Input
}

func (m *monthly) input() proto.Input { return m.all }

// monthText remembers the text of a month: the rows of a batch have few.
type monthText struct {
	month schemas.Month
	text  string
}

func (m *monthText) of(month schemas.Month) string {
	if m.text == "" || month != m.month {
		m.month, m.text = month, month.String()
	}
	return m.text
}

// insertRows inserts rows into the table of a writer that the query is for.
func insertRows[T any](ctx context.Context, s *Store, query string, run int64, all []T, of func(*writer) table[T]) error {
	return s.withWriter(ctx, func(ctx context.Context, w *writer) error {
		t := of(w)
		t.input().Reset()
		for i := range all {
			if err := t.add(run, &all[i]); err != nil {
				return err
			}
		}
		return w.insert(ctx, query, t.input())
	})
}

// writers are those that no batch uses now. The last one that was given back is
// taken first, so that there are no more than batches at once.
type writers struct {
	mu   sync.Mutex
	idle []*writer
	done bool
}

func (p *writers) take() *writer {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.idle) == 0 {
		return nil
	}
	w := p.idle[len(p.idle)-1]
	p.idle = p.idle[:len(p.idle)-1]
	return w
}

func (p *writers) give(w *writer) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.done {
		_ = w.Close() // nothing is under way on it
		return
	}
	p.idle = append(p.idle, w)
}

func (p *writers) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done = true
	for _, w := range p.idle {
		_ = w.Close() // nothing is under way on it
	}
	p.idle = nil
}

// withWriter lends a writer to use, for insertPatience at most. After any error its
// connection is closed: nobody knows what the server still waits for on it.
func (s *Store) withWriter(ctx context.Context, use func(context.Context, *writer) error) error {
	ctx, cancel := context.WithTimeoutCause(ctx, insertPatience, errSilent)
	defer cancel()
	w, err := s.takeWriter(ctx)
	if err == nil {
		stop := context.AfterFunc(ctx, w.conn.interrupt)
		err = use(ctx, w)
		if !stop() {
			err = errors.Join(err, context.Cause(ctx))
		}
		if err == nil {
			s.writers.give(w)
			return nil
		}
		_ = w.Close() // what matters came from use
	}
	if errors.Is(context.Cause(ctx), errSilent) {
		return errSilent
	}
	return err
}

// takeWriter takes one whose connection still stands, or makes one.
func (s *Store) takeWriter(ctx context.Context) (*writer, error) {
	w := s.writers.take()
	if w != nil {
		stop := context.AfterFunc(ctx, w.conn.interrupt)
		err := w.Ping(ctx)
		if stop() && err == nil {
			return w, nil
		}
		_ = w.Close() // the server has hung up, which is no failure yet
	}
	client, err := s.connect(ctx)
	if err != nil {
		return nil, err
	}
	if w == nil {
		digits := s.config.Digits
		w = &writer{
			periods: newPeriodRows(digits), lines: newLineRows(digits), living: newStateRows(digits), dead: newStateRows(digits),
			minutes: newMinuteRows(), hashes: newHashRows(), headers: newHeaderRows(digits),
		}
	}
	w.nativeClient = client
	return w, nil
}

// insert writes columns in one block, which the server never takes for one that it
// has; see Store.insertColumns.
func (w *writer) insert(ctx context.Context, name string, columns proto.Input) error {
	return w.insertBlocks(ctx, name, insertSettings(""), []proto.Input{columns})
}

// insertSettings are those of an insert with a token, or of one without.
func insertSettings(token string) driver.Settings {
	if token == "" {
		return driver.Settings{"deduplicate_insert": "disable"}
	}
	return driver.Settings{"deduplicate_insert": "enable", "insert_deduplication_token": token}
}

// insertBlocks writes blocks of the same columns by one statement. The server joins
// them into parts as large as it likes them.
func (w *writer) insertBlocks(ctx context.Context, name string, settings driver.Settings, blocks []proto.Input) error {
	text, err := sql(name)
	if err != nil {
		return err
	}
	// The library sends what input holds whenever the function has returned.
	input, next := slices.Clone(blocks[0]), 1
	err = w.Do(ctx, ch.Query{Body: text, Input: input, Settings: nativeSettings(settings), OnInput: func(context.Context) error {
		if next == len(blocks) {
			for i := range input {
				input[i].Data = noRows{input[i].Data}
			}
			return io.EOF
		}
		copy(input, blocks[next])
		next++
		return nil
	}})
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// noRows is a column that is sent already: what is left at the end of the input
// the library would send again.
type noRows struct{ proto.ColInput }

// Rows is for the library.
func (noRows) Rows() int { return 0 }
