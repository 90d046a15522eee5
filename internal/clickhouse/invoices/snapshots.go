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
// A tombstone that a later run wrote for the same month hides the living state, and
// a living state hides every older tombstone.
func (s *Store) Snapshots(ctx context.Context, of aggregate.Scope) (schemas.Cursor[schemas.Snapshot], error) {
	if of.Month.IsZero() {
		return noSnapshots{}, nil
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
	c := &snapshots{}
	for _, name := range names {
		block := func() *snapshotBlock { return newSnapshotBlock(s.digits) }
		rows, err := column.OpenStream(ctx, s.db, name, column.Settings{"max_block_size": snapshotRows}, args, block(), block())
		if err != nil {
			return nil, errors.Join(err, c.Close())
		}
		stream := &schemas.Sorted[snapshotRow]{
			Cursor: &snapshotStream{Stream: rows}, Of: func(r *snapshotRow) schemas.ResourceKey { return r.key },
		}
		c.streams, c.heads = append(c.streams, stream), append(c.heads, stream)
	}
	return c, nil
}

// snapshotRows is the number of rows in a block; a state has some hundred bytes.
const snapshotRows = 8192

// noSnapshots are those of the month before the first.
type noSnapshots struct{}

func (noSnapshots) Next() (*schemas.Snapshot, error) { return nil, io.EOF }
func (noSnapshots) Close() error                     { return nil }

// snapshotBlock is a block of rows of edges.sql or tombstones.sql, by column.
type snapshotBlock struct {
	column.Block
	accounts, resources, states column.Strings
	months                      column.LowCardinality
	runs                        column.Int64s
	used, usedBefore            column.Decimal256s
	dead, wanted                column.Bools
	places                      int32
}

func newSnapshotBlock(digits int32) *snapshotBlock {
	b, money := &snapshotBlock{places: digits}, fmt.Sprintf("Decimal(76, %d)", digits)
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

// snapshotRow is where a row stands in its block.
type snapshotRow struct {
	key   schemas.ResourceKey
	block *snapshotBlock
	row   int
}

// snapshotStream goes through the rows of blocks.
type snapshotStream struct {
	*column.Stream[*snapshotBlock]
	at snapshotRow
}

// Next is as [schemas.Cursor] says.
func (e *snapshotStream) Next() (*snapshotRow, error) {
	at := &e.at
	if at.row++; at.block == nil || at.row >= at.block.Rows {
		block, err := e.Stream.Next()
		if err != nil {
			return nil, err
		}
		at.block, at.row = block, 0
	}
	at.key.AccountID = at.block.accounts.Like(at.key.AccountID, at.row)
	at.key.ResourceID = at.block.resources.Like(at.key.ResourceID, at.row)
	return at, nil
}

// Close is as [schemas.Cursor] says.
func (e *snapshotStream) Close() error {
	e.Stream.Close()
	return nil
}

// snapshots merges the streams of the living and the dead.
type snapshots struct {
	streams []*schemas.Sorted[snapshotRow]
	heads   []schemas.Headed
	started bool
	err     error

	row schemas.Snapshot
}

// Next is as [schemas.Cursor] says.
func (c *snapshots) Next() (*schemas.Snapshot, error) {
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
func (c *snapshots) resource() (*schemas.Snapshot, error) {
	if !c.started {
		c.started = true
		for _, e := range c.streams {
			if err := e.Advance(); err != nil {
				return nil, err
			}
		}
	}
	key, found := schemas.Lowest(c.heads...)
	if !found {
		return nil, io.EOF
	}
	row, wanted := &c.row, false
	month, run := "", int64(0)
	for _, e := range c.streams {
		for e.At(key) {
			b, i := e.Row.block, e.Row.row
			if at := b.months.At(i); at > month || at == month && b.runs[i] > run {
				month, run, wanted = at, b.runs[i], b.wanted[i]
				*row = schemas.Snapshot{
					AccountID: key.AccountID, ResourceID: key.ResourceID, Deleted: b.dead[i], State: string(b.states.At(i)),
					CouponUsed: column.DecimalOf256(b.used[i], b.places), UsedBefore: column.DecimalOf256(b.usedBefore[i], b.places),
				}
			}
			if err := e.Advance(); err != nil {
				return nil, err
			}
		}
	}
	if !wanted {
		return nil, nil
	}
	at, err := schemas.ParseMonth(month)
	if err != nil {
		return nil, fmt.Errorf("stored snapshot of account %q, resource %q: %w", key.AccountID, key.ResourceID, err)
	}
	row.At = at
	return row, nil
}

// Close ends the queries wherever they are.
func (c *snapshots) Close() error {
	var errs []error
	for _, e := range c.streams {
		errs = append(errs, e.Close())
	}
	c.err = errClosed
	return errors.Join(errs...)
}

var errClosed = errors.New("a cursor is read after its end")
