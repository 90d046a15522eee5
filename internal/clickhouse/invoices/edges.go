package invoices

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/reckon-billing/reckon/aggregate"
	"github.com/reckon-billing/reckon/internal/clickhouse/column"
	"github.com/reckon-billing/reckon/internal/clickhouse/scope"
	"github.com/reckon-billing/reckon/schemas"
)

// Snapshots streams states as [aggregate.Source] says: for each resource the row of
// the highest month up to of.Month, then of the highest run before of.Run.
// A tombstone that a later run wrote for the same edge hides the living state, and
// a living state hides every older tombstone.
func (s *Store) Snapshots(ctx context.Context, of aggregate.Scope) (schemas.Cursor[schemas.Snapshot], error) {
	if of.Month.IsZero() {
		return noEdges{}, nil
	}
	args := append(scope.Bind(&of), scope.BindTime("from", of.From), scope.BindTime("to", of.To), column.Bind("month", of.Month.String()))
	var dead bool
	if err := s.db.Row(ctx, "any_tombstones", []any{&dead}, args...); err != nil {
		return nil, err
	}
	names := []string{"edges"}
	if dead {
		names = append(names, "tombstones")
	}
	c := &edges{}
	for _, name := range names {
		block := func() *edgeBlock { return newEdgeBlock(s.digits) }
		rows, err := column.OpenStream(ctx, s.db, name, column.Settings{"max_block_size": edgeRows}, args, block(), block())
		if err != nil {
			return nil, errors.Join(err, c.Close())
		}
		c.streams = append(c.streams, &edgeStream{Stream: rows, places: s.digits})
	}
	return c, nil
}

// edgeRows is the number of rows in a block; a state has some hundred bytes.
const edgeRows = 8192

// noEdges are those of the month before the first.
type noEdges struct{}

func (noEdges) Next() (*schemas.Snapshot, error) { return nil, io.EOF }
func (noEdges) Close() error                     { return nil }

// edgeBlock is a block of rows of edges.sql or tombstones.sql, by column.
type edgeBlock struct {
	column.Block
	accounts, resources, states column.Strings
	months                      column.LowCardinality
	runs                        column.Int64s
	used, usedBefore            column.Decimal256s
	dead, wanted                column.Bools
}

func newEdgeBlock(digits int32) *edgeBlock {
	b, money := &edgeBlock{}, fmt.Sprintf("Decimal(76, %d)", digits)
	b.Column("account_id", "String", &b.accounts)
	b.Column("resource_id", "String", &b.resources)
	b.Column("at", "LowCardinality(String)", &b.months)
	b.Column("run", "Int64", &b.runs)
	b.Column("dead", "Bool", &b.dead)
	b.Column("state", "String", &b.states)
	b.Column("coupon_used", money, &b.used)
	b.Column("coupon_used_before", money, &b.usedBefore)
	b.Column("wanted", "Bool", &b.wanted)
	return b
}

// edgeStream stands at one row after the other.
type edgeStream struct {
	*column.Stream[*edgeBlock]
	block             *edgeBlock
	row               int
	account, resource string
	places            int32
	ended             bool
}

// advance goes to the next row, or to the end.
func (e *edgeStream) advance() error {
	e.row++
	if e.block == nil || e.row >= e.block.Rows {
		block, err := e.Next()
		if errors.Is(err, io.EOF) {
			e.ended = true
			return nil
		}
		if err != nil {
			return err
		}
		e.block, e.row = block, 0
	}
	e.account = e.block.accounts.Like(e.account, e.row)
	e.resource = e.block.resources.Like(e.resource, e.row)
	return nil
}

// at tells whether the row is of the resource.
func (e *edgeStream) at(account, resource string) bool {
	return !e.ended && e.account == account && e.resource == resource
}

// edges merges the streams of the living and the dead.
type edges struct {
	streams []*edgeStream
	started bool
	err     error

	row schemas.Snapshot
}

// Next is as [schemas.Cursor] says.
func (c *edges) Next() (*schemas.Snapshot, error) {
	for c.err == nil {
		var row *schemas.Snapshot
		if row, c.err = c.resource(); row != nil && c.err == nil {
			return row, nil
		}
	}
	return nil, c.err
}

// resource takes all rows of the next resource and hands out the one that counts,
// if it is wanted.
func (c *edges) resource() (*schemas.Snapshot, error) {
	if !c.started {
		c.started = true
		for _, e := range c.streams {
			if err := e.advance(); err != nil {
				return nil, err
			}
		}
	}
	var first *edgeStream
	for _, e := range c.streams {
		if !e.ended && (first == nil || e.account < first.account || e.account == first.account && e.resource < first.resource) {
			first = e
		}
	}
	if first == nil {
		return nil, io.EOF
	}
	account, resource := first.account, first.resource
	row, wanted := &c.row, false
	month, run := "", int64(0)
	for _, e := range c.streams {
		for e.at(account, resource) {
			b, i := e.block, e.row
			if at := b.months.At(i); at > month || at == month && b.runs[i] > run {
				month, run, wanted = at, b.runs[i], b.wanted[i]
				*row = schemas.Snapshot{
					AccountID: account, ResourceID: resource, Deleted: b.dead[i], State: string(b.states.At(i)),
					CouponUsed: column.DecimalOf256(b.used[i], e.places), UsedBefore: column.DecimalOf256(b.usedBefore[i], e.places),
				}
			}
			if err := e.advance(); err != nil {
				return nil, err
			}
		}
	}
	if !wanted {
		return nil, nil
	}
	at, err := schemas.ParseMonth(month)
	if err != nil {
		return nil, fmt.Errorf("stored edge of account %q, resource %q: %w", account, resource, err)
	}
	row.At = at
	return row, nil
}

// Close ends the queries wherever they are.
func (c *edges) Close() error {
	for _, e := range c.streams {
		e.Close()
	}
	c.err = errClosed
	return nil
}

var errClosed = errors.New("a cursor is read after its end")
