package ingest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/reckon-billing/reckon/schemas"
)

// Pipeline moves one partition. All fields but the last are required. It is used once: after
// Run has returned, a new one starts from what was committed.
type Pipeline struct {
	Topic     string
	Partition int32
	Source    Source
	// Parse reads an event. A *schemas.Rejection means that the message is none
	// and never will be; any other error stops the partition.
	Parse       func(*schemas.Message) (schemas.Event, error)
	Sink        Sink
	Notes       Notes
	DeadLetters DeadLetters
	Limits      Limits
	Now         func() time.Time
	Metrics     *Metrics
	Log         *slog.Logger
	// Succeeded, where it is set, is told whenever a batch was committed, and whenever
	// the partition has nothing to store.
	Succeeded func()

	rows      Rows
	batch     batch
	committed int64
}

// Run moves messages until ctx ends or a step fails. It holds no goroutine and
// no lock. An error means: stop, start again, and the log redelivers.
func (p *Pipeline) Run(ctx context.Context) error {
	defer p.leave()
	// Nothing is known to be committed, so that the first pause commits: a
	// partition that was never committed would look behind for ever otherwise.
	p.committed = -1
	p.rows = p.Sink.Open()
	for {
		messages, err := p.Source.Fetch(ctx, p.batch.deadline(p.Now(), &p.Limits))
		idle := errors.Is(err, ErrIdle)
		switch {
		case idle:
			p.observe()
		case err != nil:
			return fmt.Errorf("fetch from %s/%d: %w", p.Topic, p.Partition, err)
		}
		if err := p.take(ctx, messages); err != nil {
			return err
		}
		next, end := p.Source.Progress()
		p.batch.advance(next)
		p.batch.hold(p.Limits.Memory)
		waiting := end - next
		if idle {
			waiting = 0 // whatever is there does not come
		}
		if why := p.batch.due(p.Now(), &p.Limits, p.committed, waiting); why != "" {
			if err := p.flush(ctx, why); err != nil {
				return err
			}
		}
		if idle && p.batch.rows() == 0 {
			p.succeeded()
		}
	}
}

func (p *Pipeline) succeeded() {
	if p.Succeeded != nil {
		p.Succeeded()
	}
}

// take puts messages into the batch, which it flushes whenever it is full. The
// clock and the metrics are asked once for all of them: they cost as much as
// reading a message.
func (p *Pipeline) take(ctx context.Context, messages []schemas.Message) error {
	read, now := 0, p.Now()
	defer func() { p.Metrics.read.WithLabelValues(p.Topic).Add(float64(read)) }()
	for i := range messages {
		if err := p.accept(&messages[i], now); err != nil {
			return err
		}
		read++
		if why := p.batch.full(&p.Limits); why != "" {
			if err := p.flush(ctx, why); err != nil {
				return err
			}
			now = p.Now()
		}
	}
	return nil
}

// accept puts a message into the batch, as an event or as a reject.
func (p *Pipeline) accept(m *schemas.Message, now time.Time) error {
	event, err := p.Parse(m)
	var rejection *schemas.Rejection
	switch {
	case err == nil:
		err = p.rows.Accept(&event, m)
	case errors.As(err, &rejection):
		err = p.rows.Reject(m, rejection)
	default:
		return fmt.Errorf("parse %s/%d@%d: %w", m.Topic, m.Partition, m.Offset, err)
	}
	if err != nil {
		return fmt.Errorf("take %s/%d@%d: %w", m.Topic, m.Partition, m.Offset, err)
	}
	p.batch.add(m, rejection, now)
	return nil
}

// flush confirms, stores, copies, notes, commits, in this order: that is the guarantee.
// Swapping Store and Note makes TestNothingCommittedIsEverLost fail (tried).
func (p *Pipeline) flush(ctx context.Context, why cause) error {
	b := &p.batch
	if err := p.Source.Confirm(ctx); err != nil {
		return fmt.Errorf("confirm that %s/%d before %d is of its log: %w", p.Topic, p.Partition, b.next, err)
	}
	if b.rows() > 0 {
		if err := p.rows.Store(ctx); err != nil {
			return fmt.Errorf("insert %d rows of %s/%d before %d: %w", b.rows(), p.Topic, p.Partition, b.next, err)
		}
	}
	if len(b.rejected) > 0 {
		if err := p.DeadLetters.Copy(ctx, b.rejected); err != nil {
			return fmt.Errorf("copy %d dead letters of %s/%d before %d: %w",
				len(b.rejected), p.Topic, p.Partition, b.next, err)
		}
	}
	_, end := p.Source.Progress()
	if err := p.Notes.Note(ctx, b.next, end); err != nil {
		return err
	}
	if err := p.Source.Commit(ctx, b.next); err != nil {
		return fmt.Errorf("commit %s/%d before %d: %w", p.Topic, p.Partition, b.next, err)
	}
	p.committed = b.next
	p.Metrics.flushed(p, why)
	p.Log.Debug("batch stored", "stage", "ingest", "topic", p.Topic, "partition", p.Partition,
		"offset", b.next, "rows", b.rows(), "rejected", len(b.rejected), "cause", string(why))
	b.reset(p.Limits.Memory)
	p.observe()
	p.succeeded()
	return nil
}

// observe exports how far the store is behind the log.
func (p *Pipeline) observe() {
	_, end := p.Source.Progress()
	if p.committed >= 0 {
		p.Metrics.lag.WithLabelValues(p.labels()...).Set(float64(max(0, end-p.committed)))
	}
}

// leave gives the messages of an unfinished batch back to the log and withdraws
// what is told of the partition: another process may own it now.
func (p *Pipeline) leave() {
	p.Metrics.abandoned.WithLabelValues(p.Topic).Add(float64(p.batch.rows()))
	p.batch.reset(p.Limits.Memory)
	p.Metrics.lag.DeleteLabelValues(p.labels()...)
	p.Metrics.lastCommit.DeleteLabelValues(p.labels()...)
}
