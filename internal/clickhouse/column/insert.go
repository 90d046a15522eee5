package column

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"
)

// Insert is rows for a table, by column: blocks of the same columns, of which the
// server makes parts as large as it likes them.
type Insert struct {
	Table string
	// Settings are those of this insert.
	Settings Settings
	Blocks   []Input
}

// statement lists the columns as the blocks have them.
func (i *Insert) statement() string {
	names := make([]string, len(i.Blocks[0]))
	for n, column := range i.Blocks[0] {
		names[n] = column.Name
	}
	return "INSERT INTO " + i.Table + " (" + strings.Join(names, ", ") + ") FORMAT Native"
}

// Insert carries out inserts one after the other. With a token, one with the token of
// an earlier one is dropped by the server; without, every insert is written. After
// [insertPatience] the server counts as hung.
func (db *DB) Insert(ctx context.Context, token string, inserts ...Insert) error {
	return db.withClient(ctx, func(ctx context.Context, c *nativeClient) error {
		for i := range inserts {
			settings := insertSettings(token)
			maps.Copy(settings, inserts[i].Settings)
			if err := insert(ctx, c, nativeSettings(settings), &inserts[i]); err != nil {
				return fmt.Errorf("insert into %s: %w", inserts[i].Table, err)
			}
		}
		return nil
	})
}

// insertSettings are those of an insert with a token, or of one without.
//
// deduplicate_insert overrides insert_deduplicate since 26.2; where it is not disabled
// the server drops a block with the bytes of an earlier one, also when a DELETE has
// taken that one's rows away.
func insertSettings(token string) Settings {
	if token == "" {
		return Settings{"deduplicate_insert": "disable"}
	}
	return Settings{"deduplicate_insert": "enable", "insert_deduplication_token": token}
}

func insert(ctx context.Context, c *nativeClient, settings []ch.Setting, insert *Insert) error {
	// The library sends what input holds whenever the function has returned.
	blocks := insert.Blocks
	input, next := slices.Clone(blocks[0]), 1
	return c.Do(ctx, ch.Query{Body: insert.statement(), Input: input, Settings: settings, OnInput: func(context.Context) error {
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
}

// noRows is a column that is sent already: what is left at the end of the input
// the library would send again.
type noRows struct{ proto.ColInput }

// Rows is for the library.
func (noRows) Rows() int { return 0 }

// idle are the connections that no insert uses now. The last one that was given back
// is taken first, so that there are no more than inserts at once.
type idle struct {
	mu   sync.Mutex
	all  []*nativeClient
	done bool
}

func (p *idle) take() *nativeClient {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.all) == 0 {
		return nil
	}
	c := p.all[len(p.all)-1]
	p.all = p.all[:len(p.all)-1]
	return c
}

func (p *idle) give(c *nativeClient) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.done {
		_ = c.Close() // nothing is under way on it
		return
	}
	p.all = append(p.all, c)
}

func (p *idle) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done = true
	for _, c := range p.all {
		_ = c.Close() // nothing is under way on it
	}
	p.all = nil
}

// withClient lends a connection to use, for insertPatience at most. After any error it
// is closed: nobody knows what the server still waits for on it.
func (db *DB) withClient(ctx context.Context, use func(context.Context, *nativeClient) error) error {
	ctx, cancel := context.WithTimeoutCause(ctx, insertPatience, errSilent)
	defer cancel()
	c, err := db.takeClient(ctx)
	if err == nil {
		stop := context.AfterFunc(ctx, c.conn.interrupt)
		err = use(ctx, c)
		if !stop() {
			err = errors.Join(err, context.Cause(ctx))
		}
		if err == nil {
			db.idle.give(c)
			return nil
		}
		_ = c.Close() // what matters came from use
	}
	if errors.Is(context.Cause(ctx), errSilent) {
		return errSilent
	}
	return db.kept(err)
}

// takeClient takes one whose connection still stands, or makes one.
func (db *DB) takeClient(ctx context.Context) (*nativeClient, error) {
	if c := db.idle.take(); c != nil {
		stop := context.AfterFunc(ctx, c.conn.interrupt)
		err := c.Ping(ctx)
		if err == nil {
			err = db.keptTo(ctx, c)
		}
		if stop() && err == nil {
			return c, nil
		}
		_ = c.Close() // the server has hung up, which is no failure yet
	}
	return db.connectKept(ctx)
}
