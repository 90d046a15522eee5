package ingest

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/reckon-billing/reckon/schemas"
)

// Debts is where the store notes which dead letters still lack their copies.
type Debts interface {
	// NoteCopies notes, after the letters are stored, that their copies are owed, or that
	// they were written. A copy that was ever written is owed no more.
	NoteCopies(ctx context.Context, letters []schemas.Position, written bool) error
	// OwedCopies yields the letters whose copies are owed, by log, topic, partition and
	// offset. What it yields is the caller's until the next, its bytes for good.
	OwedCopies(ctx context.Context, yield func(*Rejected) error) error
	// CountOwedCopies counts them.
	CountOwedCopies(ctx context.Context) (int64, error)
}

// Copies takes copies of rejects to the topic of dead letters, and notes those that it
// does not take as owed: the record is the store's, and nothing waits for a copy of it.
// It is a [DeadLetters] for any number of pipelines. All fields are required.
type Copies struct {
	Topic   DeadLetters
	Debts   Debts
	Metrics *Metrics
	Log     *slog.Logger

	// owing tells that the topic has failed since all was made up.
	owing atomic.Bool
}

// Copy copies the rejects, or notes that their copies are owed; see [DeadLetters].
func (c *Copies) Copy(ctx context.Context, rejected []Rejected) error {
	if !c.owing.Load() {
		err := c.Topic.Copy(ctx, rejected)
		if err == nil || ctx.Err() != nil {
			return err
		}
		c.fails(err)
	}
	letters := make([]schemas.Position, len(rejected))
	for i := range rejected {
		letters[i] = rejected[i].Message.Position
	}
	if err := c.Debts.NoteCopies(ctx, letters, false); err != nil {
		return err
	}
	c.Metrics.owed.Add(float64(len(letters)))
	return nil
}

// fails notes that the topic takes no copies, and warns of it once.
func (c *Copies) fails(err error) {
	if !c.owing.Swap(true) {
		c.Log.Warn("dead letters are not copied to their topic: they are stored, and the copies will be made up", "stage", "ingest", "err", err)
	}
}

// At most so many letters and bytes are made up together.
const (
	madeUpLetters = 500
	madeUpBytes   = 8 << 20
)

// MakeUp copies what is owed, whoever noted it. While the topic takes nothing it
// returns nil all the same: that was told once. An error is one of the store.
func (c *Copies) MakeUp(ctx context.Context) error {
	owed, err := c.Debts.CountOwedCopies(ctx)
	if err != nil {
		return err
	}
	c.Metrics.owed.Set(float64(owed))
	var done int64
	if owed > 0 {
		b := debtBatch{of: c}
		err := c.Debts.OwedCopies(ctx, func(r *Rejected) error { return b.add(ctx, r) })
		if err == nil {
			err = b.pay(ctx)
		}
		if done = b.paid; b.refused {
			return nil
		}
		if err != nil {
			return err
		}
	}
	// What came to be owed meanwhile is made up next time.
	if c.owing.Swap(false) || done > 0 {
		c.Log.Info("copies of dead letters are made up", "stage", "ingest", "rows", done)
	}
	return nil
}

// debtBatch are owed copies that are written together.
type debtBatch struct {
	of      *Copies
	letters []Rejected
	bytes   int
	paid    int64
	// refused tells that the topic did not take them.
	refused bool
}

func (b *debtBatch) add(ctx context.Context, r *Rejected) error {
	b.letters, b.bytes = append(b.letters, *r), b.bytes+len(r.Message.Value)
	if len(b.letters) < madeUpLetters && b.bytes < madeUpBytes {
		return nil
	}
	return b.pay(ctx)
}

// pay writes copies, and then notes that they are written: a crash in between writes
// them again.
func (b *debtBatch) pay(ctx context.Context) error {
	if len(b.letters) == 0 {
		return nil
	}
	c := b.of
	if err := c.Topic.Copy(ctx, b.letters); err != nil {
		if b.refused = ctx.Err() == nil; b.refused {
			c.fails(err)
		}
		return fmt.Errorf("copy %d dead letters that were owed: %w", len(b.letters), err)
	}
	letters := make([]schemas.Position, len(b.letters))
	for i := range b.letters {
		letters[i] = b.letters[i].Message.Position
	}
	if err := c.Debts.NoteCopies(ctx, letters, true); err != nil {
		return err
	}
	c.Metrics.owed.Sub(float64(len(letters)))
	b.paid += int64(len(letters))
	b.letters, b.bytes = b.letters[:0], 0
	return nil
}

// Run makes up what is owed, at once and then every so often, until ctx ends or the
// store fails. Succeeded is told after each time.
func (c *Copies) Run(ctx context.Context, every time.Duration, sleep func(context.Context, time.Duration), succeeded func()) error {
	for ctx.Err() == nil {
		if err := c.MakeUp(ctx); err != nil {
			return err
		}
		succeeded()
		sleep(ctx, every)
	}
	return ctx.Err()
}
