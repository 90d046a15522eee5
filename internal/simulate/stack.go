package simulate

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/reckon-billing/reckon/internal/app"
	"github.com/reckon-billing/reckon/internal/config"
	"github.com/reckon-billing/reckon/schemas"
	"github.com/reckon-billing/reckon/schemas/codec"
)

// Options are what a simulation is handed.
type Options struct {
	// Command is what the process was started as, and Serves tells that commands may use
	// its engines beside it.
	Command string
	Serves  bool
	// Config is that of the installation; whatever servers it names, none is touched.
	Config config.Config
	Log    *slog.Logger
	// Now is the wall clock, which reaches no result; Clock stamps what is sent and
	// issued.
	Now   func() time.Time
	Clock *Clock
	// First is the first month that is billed.
	First schemas.Month
	// BatchRows cuts ingest's batches.
	BatchRows int
}

// Stack is a whole reckon on an embedded stack in a folder of its own, for those
// who bring their events along.
type Stack struct {
	*app.App
	Seals *app.Sealer
	Clock *Clock
	// folder is to be removed at the end; empty for one that is kept.
	folder string
	out    producer

	// waiting are lines not yet produced. sources are the lines of each partition
	// in the order of their offsets: the log is empty before its first.
	waiting []schemas.Message
	origins []Origin
	sources map[schemas.Position][]Origin

	mu sync.Mutex
	// stored counts messages, redelivered ones again.
	stored  int64
	rejects map[schemas.Position]string
}

// producer is what sends to Kafka.
type producer interface {
	Produce(ctx context.Context, messages []schemas.Message) ([]schemas.Position, error)
	Close()
}

const (
	// batchAge is how long events wait for others in a batch: nobody sends more, so
	// not long.
	batchAge = 100 * time.Millisecond
	// produceAtOnce is how many lines are produced together.
	produceAtOnce = 10_000
	// scratchPatience is how long the engine of a scratch folder may take to end:
	// nothing in the folder is for keeps, and to remove it takes time too.
	scratchPatience = 200 * time.Millisecond
)

// Scratch starts a stack in a scratch folder, which Close removes.
func Scratch(ctx context.Context, o Options) (*Stack, error) {
	folder, err := os.MkdirTemp("", "reckon-scratch-")
	if err != nil {
		return nil, fmt.Errorf("make a scratch folder: %w", err)
	}
	s, err := start(ctx, folder, scratchPatience, o)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(folder))
	}
	s.folder = folder
	return s, nil
}

// Keep starts a stack on an empty folder, which is kept.
func Keep(ctx context.Context, folder string, o Options) (*Stack, error) {
	return start(ctx, folder, 0, o)
}

func start(ctx context.Context, folder string, patience time.Duration, o Options) (*Stack, error) {
	s := &Stack{Clock: o.Clock, sources: map[schemas.Position][]Origin{}, rejects: map[schemas.Position]string{}}
	var err error
	s.App, err = app.Connect(ctx, app.Options{
		Config: embeddedOnly(o.Config, folder, o.BatchRows), Log: o.Log, Now: o.Now, Observe: s.took, Patience: patience,
		Command: o.Command, Serves: o.Serves, Claim: app.Alone,
	})
	if err != nil {
		return nil, err
	}
	if s.Seals, err = s.Sealer(nil); err == nil {
		s.Seals.Replay, s.Seals.FirstMonth, s.Seals.Now = true, o.First, o.Clock.Now
		s.out, err = s.Kafka.NewProducer(ctx, s.EventTopics()...)
	}
	if err != nil {
		return nil, errors.Join(err, s.App.Close())
	}
	return s, nil
}

// embeddedOnly are the settings of a stack in a folder of its own.
func embeddedOnly(cfg config.Config, folder string, batchRows int) config.Config {
	cfg.DataDir = folder
	cfg.Kafka.Brokers, cfg.ClickHouse.Addresses = nil, nil
	cfg.ClickHouse.Cluster = ""
	cfg.Kafka.Embedded.Port, cfg.ClickHouse.Embedded.NativePort, cfg.ClickHouse.Embedded.HTTPPort = 0, 0, 0
	cfg.Kafka.ReplicationFactor = 1
	cfg.Ingest.BatchRows, cfg.Ingest.BatchMaxAge, cfg.Ingest.Memory = batchRows, batchAge, 0
	return cfg
}

// Close ends the stack and removes its folder, if it is a scratch one.
func (s *Stack) Close() error {
	s.out.Close()
	err := s.App.Close()
	if s.folder == "" {
		return err
	}
	return errors.Join(err, os.RemoveAll(s.folder))
}

// took is told of each batch that is stored.
func (s *Stack) took(messages int64, rejected map[schemas.Position]string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stored += messages
	maps.Copy(s.rejects, rejected)
}

// StoredSoFar counts the messages that ingest has stored.
func (s *Stack) StoredSoFar() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stored
}

// Add produces a line, together with others.
func (s *Stack) Add(ctx context.Context, at Origin, line []byte) error {
	s.waiting = append(s.waiting, s.Message(slices.Clone(line)))
	s.origins = append(s.origins, at)
	if len(s.waiting) >= produceAtOnce {
		return s.Flush(ctx)
	}
	return nil
}

// Message carries a line as producers send it: to the topic of its type, keyed by
// its account, stamped by the clock.
func (s *Stack) Message(line []byte) schemas.Message {
	kind, _ := codec.TypeOf(line)
	m := schemas.Message{Time: s.Clock.Now(), Value: line}
	m.Topic = s.Config.Kafka.Topics.Of(codec.Topic(kind))
	if account, ok := codec.AccountOf(line); ok {
		m.Key = []byte(account)
	}
	return m
}

// Flush produces what waits.
func (s *Stack) Flush(ctx context.Context) error {
	if len(s.waiting) == 0 {
		return nil
	}
	positions, err := s.out.Produce(ctx, s.waiting)
	if err != nil {
		return fmt.Errorf("produce %d lines, the first of them line %d of its file: %w", len(s.waiting), s.origins[0].Line, err)
	}
	for i, p := range positions {
		partition := schemas.Position{Topic: p.Topic, Partition: p.Partition}
		if int(p.Offset) != len(s.sources[partition]) {
			return fmt.Errorf("the line went to %s/%d at offset %d, but %d were produced there before it",
				p.Topic, p.Partition, p.Offset, len(s.sources[partition]))
		}
		s.sources[partition] = append(s.sources[partition], s.origins[i])
	}
	s.waiting, s.origins = s.waiting[:0], s.origins[:0]
	return nil
}
