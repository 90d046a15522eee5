package ingest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/reckon-billing/reckon/schemas"
)

// Pipeline moves one partition. All fields are required. It is used once: after
// Run has returned, a new one starts from what was committed.
type Pipeline struct {
	Topic     string
	Partition int32
	Source    Source
	// Parse reads an event. A *schemas.Rejection means that the message is none
	// and never will be; any other error stops the partition.
	Parse       func(*schemas.Message) (schemas.Event, error)
	Sink        Sink
	DeadLetters DeadLetters
	Limits      Limits
	Now         func() time.Time
	Metrics     *Metrics
	Log         *slog.Logger

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
	for {
		m, err := p.Source.Fetch(ctx, p.batch.deadline(p.Now(), p.Limits))
		switch {
		case err == nil:
			err = p.accept(m)
		case errors.Is(err, ErrIdle):
			err = nil
			p.observe()
		default:
			err = fmt.Errorf("fetch from %s/%d: %w", p.Topic, p.Partition, err)
		}
		if err != nil {
			return err
		}
		next, _ := p.Source.Progress()
		p.batch.advance(next)
		if why := p.batch.due(p.Now(), p.Limits, p.committed); why != "" {
			if err := p.flush(ctx, why); err != nil {
				return err
			}
		}
	}
}

// accept puts a message into the batch, as an event or as a reject.
func (p *Pipeline) accept(m schemas.Message) error {
	event, err := p.Parse(&m)
	var rejection *schemas.Rejection
	switch {
	case err == nil:
		p.batch.accept(Accepted{Event: event, Message: m}, p.Now())
	case errors.As(err, &rejection):
		p.batch.reject(Rejected{Message: m, Rejection: *rejection}, p.Now())
	default:
		return fmt.Errorf("parse %s/%d@%d: %w", m.Topic, m.Partition, m.Offset, err)
	}
	p.Metrics.read.WithLabelValues(p.Topic).Inc()
	return nil
}

// flush stores, copies, commits, in this order: that is the guarantee. Swapping
// Insert and Commit makes TestNothingCommittedIsEverLost fail (tried).
func (p *Pipeline) flush(ctx context.Context, why cause) error {
	b := &p.batch
	if b.Rows() > 0 {
		if err := p.Sink.Insert(ctx, b.Batch); err != nil {
			return fmt.Errorf("insert %d rows of %s/%d before %d: %w", b.Rows(), p.Topic, p.Partition, b.next, err)
		}
	}
	if len(b.Rejected) > 0 {
		if err := p.DeadLetters.Copy(ctx, b.Rejected); err != nil {
			return fmt.Errorf("copy %d dead letters of %s/%d before %d: %w",
				len(b.Rejected), p.Topic, p.Partition, b.next, err)
		}
	}
	if err := p.Source.Commit(ctx, b.next); err != nil {
		return fmt.Errorf("commit %s/%d before %d: %w", p.Topic, p.Partition, b.next, err)
	}
	p.committed = b.next
	p.Metrics.flushed(p, why)
	p.Log.Debug("batch stored", "stage", "ingest", "topic", p.Topic, "partition", p.Partition,
		"offset", b.next, "rows", b.Rows(), "rejected", len(b.Rejected), "cause", string(why))
	b.reset()
	p.observe()
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
	p.Metrics.abandoned.WithLabelValues(p.Topic).Add(float64(p.batch.Rows()))
	p.Metrics.lag.DeleteLabelValues(p.labels()...)
	p.Metrics.lastCommit.DeleteLabelValues(p.labels()...)
}
