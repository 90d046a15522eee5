package kafka

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	kafkago "github.com/segmentio/kafka-go"

	"github.com/reckon-billing/reckon/ingest"
	"github.com/reckon-billing/reckon/schemas"
)

// ErrLost says that a partition is no longer ours: what was not committed comes
// again, to its new owner.
var ErrLost = errors.New("the partition went to another member of the group")

// How a member behaves in its group. A member that died holds its partitions up
// for a session; one that left does not. Workers have a rebalance to end in.
const (
	sessionTimeout   = 10 * time.Second
	heartbeat        = time.Second
	rebalanceTimeout = 30 * time.Second
	joinBackoff      = time.Second
	// partitionWatch is how often a member looks for partitions that were added: a
	// seal waits until somebody reads them.
	partitionWatch = 2 * time.Second
	// joinPatience is how long joining may fail in passing before it is an error.
	joinPatience = time.Minute
	// leaveTimeout is how long leaving may take when the group is in the midst of a
	// rebalance, which kafka-go waits for; then its connections are cut.
	leaveTimeout = 1500 * time.Millisecond
)

// Begins says from where partitions are read, of which logs they are, and what those
// are known by: that is asked anew for each generation of the group.
type Begins func(ctx context.Context, partitions []schemas.PartitionEnd) (from []schemas.PartitionEnd, logs []ingest.FoundLog, err error)

// Consume joins the group and runs work for each partition that it is given, each
// in a goroutine of its own, until ctx ends or a worker returns; it returns what
// the worker returned. Work must end soon after its context does. When the group
// is shared out anew every worker's context ends, and work is run again for what
// is then ours, from where begins says by then: what the group has committed decides
// nothing.
//
// A topic that does not exist is an error that wraps ErrNoTopic.
func (c *Client) Consume(
	ctx context.Context, group string, topics []string, begins Begins, work func(ctx context.Context, p *Partition) error,
) error {
	// kafka-go gives a group whose topic is missing neither an error nor work.
	if _, err := c.Ends(ctx, topics...); err != nil {
		return fmt.Errorf("join group %s: %w", group, err)
	}
	conns := newConnections()
	g, err := kafkago.NewConsumerGroup(c.member(group, topics, conns))
	if err != nil {
		return fmt.Errorf("join group %s: %w", group, err)
	}
	// A commit under way hears of no context: on a broker that hangs it would hold
	// its worker for long.
	defer context.AfterFunc(ctx, func() { time.AfterFunc(leaveTimeout, conns.cut) })()
	defer func() {
		cut := time.AfterFunc(leaveTimeout, conns.cut)
		defer cut.Stop()
		_ = g.Close() // always nil
	}()
	for {
		gen, err := c.join(ctx, g)
		if err != nil {
			return fmt.Errorf("join group %s: %w", group, err)
		}
		if err := c.serve(ctx, gen, topics, begins, work); !errors.Is(err, ErrLost) {
			return err
		}
	}
}

// member is how we take part in the group.
func (c *Client) member(group string, topics []string, conns *connections) kafkago.ConsumerGroupConfig {
	return kafkago.ConsumerGroupConfig{
		ID: group, Brokers: c.config.Brokers, Topics: topics,
		Dialer: &kafkago.Dialer{
			ClientID: "reckon", Timeout: dialTimeout, TLS: c.config.TLS, SASLMechanism: c.mechanism, DialFunc: conns.dial,
		},
		HeartbeatInterval: heartbeat, SessionTimeout: sessionTimeout, RebalanceTimeout: rebalanceTimeout,
		JoinGroupBackoff: joinBackoff, StartOffset: kafkago.FirstOffset,
		WatchPartitionChanges: true, PartitionWatchInterval: partitionWatch,
	}
}

// join waits for the next generation. Errors that pass are waited out: kafka-go
// backs off by itself and tries again.
func (c *Client) join(ctx context.Context, g *kafkago.ConsumerGroup) (*kafkago.Generation, error) {
	patience := c.config.Now().Add(joinPatience)
	for {
		gen, err := g.Next(ctx)
		switch {
		case err == nil:
			return gen, nil
		case ctx.Err() != nil:
			return nil, context.Cause(ctx)
		case !passes(err), c.config.Now().After(patience):
			return nil, err
		}
	}
}

// passes tells whether an error of joining is worth another try.
func passes(err error) bool {
	var code kafkago.Error
	if errors.As(err, &code) {
		return code.Temporary() || fenced(code)
	}
	var network net.Error
	return errors.As(err, &network) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}

// fenced tells whether an error means that the group has gone on without us.
func fenced(code kafkago.Error) bool {
	switch code { //nolint:exhaustive // all the others mean something else
	case kafkago.RebalanceInProgress, kafkago.IllegalGeneration, kafkago.UnknownMemberId, kafkago.FencedInstanceID:
		return true
	}
	return false
}

// serve runs the workers of one generation. It returns, after all of them have,
// ErrLost when the generation ended, else what the first worker returned.
func (c *Client) serve(
	ctx context.Context, gen *kafkago.Generation, topics []string, begins Begins, work func(ctx context.Context, p *Partition) error,
) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var workers sync.WaitGroup
	// run starts f in the generation, which ends when f returns, and f's context
	// with the generation.
	run := func(f func()) {
		workers.Add(1)
		gen.Start(func(ended context.Context) {
			defer workers.Done()
			defer context.AfterFunc(ended, func() { cancel(ErrLost) })()
			f()
		})
	}
	// A member that was given nothing waits for the generation's end all the same.
	run(func() { <-ctx.Done() })
	partitions, closing, err := c.assigned(ctx, gen, topics, begins)
	if err != nil {
		cancel(err)
	} else {
		defer closing()
	}
	for _, p := range partitions {
		run(func() {
			defer p.close()
			cancel(reason(work(ctx, p)))
		})
	}
	workers.Wait()
	if err := context.Cause(ctx); !errors.Is(err, errDone) {
		return err
	}
	return nil
}

// errDone stands for the nil of a worker that returned without an error.
var errDone = errors.New("a worker is done")

func reason(err error) error {
	if err == nil {
		return errDone
	}
	return err
}

// assigned makes the generation's partitions, each standing at where it begins.
func (c *Client) assigned(
	ctx context.Context, gen *kafkago.Generation, topics []string, begins Begins,
) (partitions []*Partition, closing func(), err error) {
	// The offsets in gen.Assignments are not used, nor what is committed.
	var ours []schemas.PartitionEnd
	for topic, assignments := range gen.Assignments {
		for _, a := range assignments {
			ours = append(ours, schemas.PartitionEnd{Topic: topic, Partition: int32(a.ID)}) //nolint:gosec // a partition number is an int32
		}
	}
	from, logs, err := begins(ctx, schemas.NewCutoff(ours))
	if err != nil {
		return nil, nil, err
	}
	s, err := c.open(ctx, topics...)
	if err != nil {
		return nil, nil, err
	}
	commits, same := &committer{gen: gen}, &confirmer{session: s, logs: logs, now: c.config.Now}
	for _, at := range from {
		p := c.partition(s, at)
		p.commit, p.confirm = commits.partition(at), same.confirm
		partitions = append(partitions, p)
	}
	return partitions, s.close, nil
}

// committer commits for all workers of a generation, one at a time (J2).
type committer struct {
	gen interface {
		CommitOffsets(offsets map[string]map[int]int64) error
	}
	one sync.Mutex
}

// partition is the commit of one partition, which is stored to at. Other people's
// tools read it; it goes back only where the store was restored.
func (c *committer) partition(at schemas.PartitionEnd) func(context.Context, int64) error {
	return func(ctx context.Context, next int64) error {
		c.one.Lock()
		defer c.one.Unlock()
		// The generation may have ended while others committed.
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if next < at.End {
			return fmt.Errorf("commit %s/%d at offset %d: %d is committed already", at.Topic, at.Partition, next, at.End)
		}
		err := c.gen.CommitOffsets(map[string]map[int]int64{at.Topic: {int(at.Partition): next}})
		var code kafkago.Error
		if errors.As(err, &code) && fenced(code) {
			return fmt.Errorf("commit %s/%d at offset %d: %w: %w", at.Topic, at.Partition, next, ErrLost, err)
		}
		if err != nil {
			return fmt.Errorf("commit %s/%d at offset %d: %w", at.Topic, at.Partition, next, err)
		}
		at.End = next
		return nil
	}
}
