package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/reckon-billing/reckon/ingest"
	"github.com/reckon-billing/reckon/internal/app"
	"github.com/reckon-billing/reckon/internal/config"
	"github.com/reckon-billing/reckon/internal/kafka"
	"github.com/reckon-billing/reckon/schemas"
	"github.com/reckon-billing/reckon/schemas/codec"
)

// scratch is a whole reckon on an embedded stack in a folder of its own, for a
// command that brings its events along: replay and demo.
type scratch struct {
	*app.App
	// folder is to be removed at the end; empty for one that is kept.
	folder string
	clock  time.Time
	seals  *app.Sealer
	out    *kafka.Producer

	// waiting are lines not yet produced. sources are the lines of each partition
	// in the order of their offsets: a scratch log is empty before its first.
	waiting []schemas.Message
	origins []origin
	sources map[schemas.Position][]origin

	// stored counts messages, redelivered ones again.
	stored  atomic.Int64
	mu      sync.Mutex
	rejects map[schemas.Position]string
}

// scratchBatchAge is how long events wait for others in a batch: nobody sends
// more, so not long.
const scratchBatchAge = 100 * time.Millisecond

// produceAtOnce is how many lines are produced together.
const produceAtOnce = 10_000

// startScratch starts the stack in a scratch folder, which close removes.
func (a *cli) startScratch(
	ctx context.Context, cfg config.Config, log *slog.Logger, now time.Time, first schemas.Month, limits ingest.Limits,
) (*scratch, error) {
	folder, err := os.MkdirTemp("", "reckon-scratch-")
	if err != nil {
		return nil, fmt.Errorf("make a scratch folder: %w", err)
	}
	s, err := a.startOn(ctx, scratchPatience, folder, cfg, log, now, first, limits)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(folder))
	}
	s.folder = folder
	return s, nil
}

// startOn starts the stack on an empty folder. All clocks that reach the results
// stand at now.
func (a *cli) startOn(
	ctx context.Context, patience time.Duration, folder string, cfg config.Config, log *slog.Logger, now time.Time, first schemas.Month, limits ingest.Limits,
) (*scratch, error) {
	s := &scratch{clock: now, sources: map[schemas.Position][]origin{}, rejects: map[schemas.Position]string{}}
	cfg = embeddedOnly(cfg, folder)
	cfg.Ingest.BatchRows, cfg.Ingest.BatchBytes, cfg.Ingest.BatchMaxAge = limits.Rows, config.ByteSize(limits.Bytes), limits.Age
	sys, err := app.Connect(ctx, app.Options{Config: cfg, Log: log, Now: a.now, Observe: s.took, Patience: patience})
	if err != nil {
		return nil, err
	}
	s.App = sys
	if s.seals, err = sys.Sealer(prometheus.NewRegistry()); err == nil {
		s.seals.Replay, s.seals.FirstMonth = true, first
		s.seals.Now = func() time.Time { return now }
		s.out, err = sys.Kafka.NewProducer(ctx, sys.EventTopics()...)
	}
	if err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

// embeddedOnly are the settings of a scratch run: no server is touched, whatever
// the settings name.
func embeddedOnly(cfg config.Config, folder string) config.Config {
	cfg.DataDir = folder
	cfg.Kafka.Brokers, cfg.ClickHouse.Addresses = nil, nil
	cfg.ClickHouse.Cluster = ""
	cfg.Kafka.Embedded.Port, cfg.ClickHouse.Embedded.NativePort, cfg.ClickHouse.Embedded.HTTPPort = 0, 0, 0
	cfg.Kafka.ReplicationFactor = 1
	cfg.Ingest.Memory = 0
	return cfg
}

// close ends the stack and removes its folder.
func (s *scratch) close() error {
	if s.out != nil {
		s.out.Close()
	}
	err := s.Close()
	if s.folder == "" {
		return err
	}
	return errors.Join(err, os.RemoveAll(s.folder))
}

// scratchPatience is how long the engine of a scratch folder may take to end:
// nothing in the folder is for keeps, and to remove it takes time too.
const scratchPatience = 200 * time.Millisecond

// took is told of each batch that is stored.
func (s *scratch) took(messages int64, rejected map[schemas.Position]string) {
	s.stored.Add(messages)
	s.mu.Lock()
	defer s.mu.Unlock()
	maps.Copy(s.rejects, rejected)
}

// add produces a line, together with others.
func (s *scratch) add(ctx context.Context, l *scenarioLine) error {
	m := schemas.Message{Time: s.clock, Value: slices.Clone(l.value)}
	kind, _ := codec.TypeOf(m.Value)
	m.Topic = s.Config.Kafka.Topics.Of(codec.Topic(kind))
	if account, ok := codec.AccountOf(m.Value); ok {
		m.Key = []byte(account)
	}
	s.waiting = append(s.waiting, m)
	s.origins = append(s.origins, l.at)
	if len(s.waiting) >= produceAtOnce {
		return s.flush(ctx)
	}
	return nil
}

// flush produces what waits.
func (s *scratch) flush(ctx context.Context) error {
	if len(s.waiting) == 0 {
		return nil
	}
	positions, err := s.out.Produce(ctx, s.waiting)
	if err != nil {
		return fmt.Errorf("produce %d lines, the first of them line %d of its file: %w", len(s.waiting), s.origins[0].line, err)
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

// seal seals a month on all lines so far and hands out what was issued, in
// order.
func (s *scratch) seal(ctx context.Context, month schemas.Month, each func(schemas.ReportRow) error) error {
	seals, err := s.sealed(ctx, month)
	if err != nil {
		return err
	}
	for _, seal := range seals {
		if err := s.Store.RunRows(ctx, seal.Run, each); err != nil {
			return fmt.Errorf("read what run %d issued: %w", seal.Run, err)
		}
	}
	return nil
}

// sealed seals a month on all lines so far.
func (s *scratch) sealed(ctx context.Context, month schemas.Month) ([]app.Seal, error) {
	if err := s.flush(ctx); err != nil {
		return nil, err
	}
	seals, err := s.seals.Seal(ctx, month)
	if err != nil {
		return nil, fmt.Errorf("seal %s: %w", month, err)
	}
	return seals, app.Parked(seals)
}

// replayCounts is the last line of a replay's stderr (contract 7).
type replayCounts struct {
	Stored      int64 `json:"stored"`
	Duplicate   int64 `json:"duplicate"`
	Conflicting int64 `json:"conflicting"`
	Rejected    int64 `json:"rejected"`
	Anomalous   int64 `json:"anomalous"`
}

// finish lets ingest store what is left and counts everything.
func (s *scratch) finish(ctx context.Context) (replayCounts, error) {
	var counts replayCounts
	if err := s.flush(ctx); err != nil {
		return counts, err
	}
	cutoff, err := s.seals.NoteCutoff(ctx)
	if err != nil {
		return counts, err
	}
	stored, err := s.Store.Counts(ctx)
	if err != nil {
		return counts, fmt.Errorf("count what is stored: %w", err)
	}
	counts = replayCounts{Stored: stored.Stored, Duplicate: stored.Duplicate, Conflicting: stored.Conflicting, Rejected: stored.Rejected}
	err = s.Auditor().Anomalies(ctx, cutoff, nil, func(a schemas.Anomaly) error {
		if a.Reason != schemas.NoTerm {
			counts.Anomalous++
		}
		return nil
	})
	if err != nil {
		return counts, err
	}
	return counts, nil
}

// rejectedLine is a line that ingest rejected.
type rejectedLine struct {
	origin
	why string
}

// rejected lists them in the order of the files.
func (s *scratch) rejected() []rejectedLine {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]rejectedLine, 0, len(s.rejects))
	for p, why := range s.rejects {
		out = append(out, rejectedLine{s.sources[schemas.Position{Topic: p.Topic, Partition: p.Partition}][p.Offset], why})
	}
	slices.SortFunc(out, func(a, b rejectedLine) int {
		return cmp.Or(cmp.Compare(a.file, b.file), cmp.Compare(a.line, b.line))
	})
	return out
}
