package app

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"github.com/reckon-billing/reckon/aggregate"
	"github.com/reckon-billing/reckon/ingest"
	"github.com/reckon-billing/reckon/internal/kafka"
	"github.com/reckon-billing/reckon/internal/telemetry"
	"github.com/reckon-billing/reckon/schemas"
	"github.com/reckon-billing/reckon/schemas/codec"
)

// ingesting is what all the workers of a process that ingests share.
type ingesting struct {
	*App
	sink    ingest.Sink
	limits  ingest.Limits
	metrics *ingest.Metrics
	letters *ingest.Copies
}

func (a *App) ingesting(reg prometheus.Registerer) *ingesting {
	c := &a.Config.Ingest
	s := &ingesting{
		App: a, sink: a.Store, metrics: ingest.NewMetrics(reg),
		limits: ingest.Limits{Rows: c.BatchRows, Bytes: int(c.BatchBytes), Age: c.BatchMaxAge},
	}
	if c.Memory > 0 {
		s.limits.Memory = &ingest.Memory{Bytes: int64(c.Memory)}
	}
	if a.Observe != nil {
		s.sink = &observed{Sink: s.sink, stored: a.Observe}
	}
	topic := &kafka.DeadLetters{Client: a.Kafka, Topic: a.Config.Kafka.Topics.DeadLetter, Now: a.Now}
	a.cleanups.add("topic of dead letters", func() error {
		topic.Close()
		return nil
	})
	s.letters = &ingest.Copies{Topic: topic, Debts: a.Store, Metrics: s.metrics, Log: a.Log}
	return s
}

// run ingests until ctx ends or something fails: a worker a partition. Ready, where it
// is set, is told when all partitions that are ours have got on since.
func (s *ingesting) run(ctx context.Context, ready func()) error {
	group, err := s.group(ctx)
	if err != nil {
		return err
	}
	_, topics := s.eventLogs()
	all := progress{ready: ready}
	begins := func(ctx context.Context, partitions []schemas.PartitionEnd) ([]schemas.PartitionEnd, []ingest.FoundLog, error) {
		from, logs, err := s.begins(ctx, partitions)
		if err == nil {
			all.begin(len(from))
		}
		return from, logs, err
	}
	return s.Kafka.Consume(ctx, group, topics, begins, func(ctx context.Context, p *kafka.Partition) error {
		parser := codec.NewFastParser(codec.Parser{Currency: s.Currency()})
		next, _ := p.Progress()
		at := schemas.PartitionEnd{Log: p.Log, Topic: p.Topic, Partition: p.ID, End: next}
		pipeline := ingest.Pipeline{
			Notes: s.Store.Noter(at, s.Now),
			Topic: p.Topic, Partition: p.ID, Source: p, Parse: parser.Parse, Sink: s.sink, DeadLetters: s.letters,
			Limits: s.limits, Now: s.Now, Metrics: s.metrics, Log: s.Log, Succeeded: sync.OnceFunc(all.gotOn),
		}
		return pipeline.Run(ctx)
	})
}

// progress tells when every partition that the process was given has got on: it has
// stored a batch, or has nothing to store. One that fails again and again beside others
// that do not is no progress.
type progress struct {
	ready func() // nil: nobody is told

	mu   sync.Mutex
	left int
}

// begin is told how many partitions there are now.
func (p *progress) begin(partitions int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.left = partitions
	p.tell()
}

// gotOn is told once of each.
func (p *progress) gotOn() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.left--
	p.tell()
}

func (p *progress) tell() {
	if p.left == 0 && p.ready != nil {
		p.ready()
	}
}

// ingest is the stage of a process.
func (p *process) ingest(check *telemetry.Check) func(context.Context) error {
	return func(ctx context.Context) error { return p.moving().run(ctx, check.Ready) }
}

// copiesEvery is how often copies of dead letters that are owed are made up.
const copiesEvery = 5 * time.Second

// copies is the stage of a process that makes up copies of dead letters.
func (p *process) copies(check *telemetry.Check) func(context.Context) error {
	return func(ctx context.Context) error {
		return p.moving().letters.Run(ctx, copiesEvery, telemetry.Sleep, check.Ready)
	}
}

// invoicer is the stage of a process: it seals whenever the schedule says so.
func (p *process) invoicer(check *telemetry.Check) func(context.Context) error {
	r := runner{zone: p.Config.Billing.Location, now: p.Now, sleep: telemetry.Sleep, done: check.Ready}
	p.seals.Waiting = (&sealWait{log: p.Log, check: check, now: p.Now}).tell
	return func(ctx context.Context) error {
		return r.run(ctx, job{"seal", "billing.schedule", p.Config.Billing.Schedule, p.sealDue})
	}
}

// sealDue seals what is due. The schedule only says "look": what is due is asked
// of the state (immunity J6).
func (p *process) sealDue(ctx context.Context) error {
	seals, err := p.seals.SealDue(ctx)
	for i := range seals {
		p.tellSeal(&seals[i])
	}
	return err
}

// tellSeal logs what a run came to, and whom it parked. A parked account is tried again
// at every look, which is told only where it came to something else.
func (p *process) tellSeal(s *Seal) {
	parked := Parked([]Seal{*s})
	what := fmt.Sprint(s.Totals.Invoices, s.Totals.Adjustments, parked)
	if p.told[s.Run] == what {
		return
	}
	if p.told == nil {
		p.told = map[int64]string{}
	}
	p.told[s.Run] = what
	p.Log.Info("sealed", "period", s.Month.String(), "run", s.Run, "invoices", s.Totals.Invoices,
		"adjustments", s.Totals.Adjustments, "parked", len(s.Parked))
	if parked != nil {
		p.Log.Error("accounts are parked", "period", s.Month.String(), "run", s.Run, "err", parked)
	}
}

// WithIngest runs work; where the embedded stack was started here, nobody else
// ingests, so ingest runs beside. The first that fails ends both.
func (a *App) WithIngest(ctx context.Context, work func(context.Context) error) error {
	if !a.Started() {
		return work(ctx)
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	beside := a.ingesting(prometheus.NewRegistry())
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		if err := beside.run(ctx, nil); err != nil && ctx.Err() == nil {
			return fmt.Errorf("ingest: %w", err)
		}
		return nil
	})
	g.Go(func() error {
		defer stop()
		return work(ctx)
	})
	return g.Wait()
}

// Deriver folds what is stored, in the billing zone.
func (a *App) Deriver() *aggregate.Deriver {
	return &aggregate.Deriver{Source: a.Store, Zone: a.Config.Billing.Location}
}
