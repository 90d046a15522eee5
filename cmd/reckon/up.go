package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/robfig/cron/v3"
	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/reckon-billing/reckon/internal/config"
	"github.com/reckon-billing/reckon/internal/embedded"
	"github.com/reckon-billing/reckon/internal/kafka"
	"github.com/reckon-billing/reckon/internal/telemetry"
	"github.com/reckon-billing/reckon/invoicer"
)

func (a *app) upCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "up",
		Short: "Run every stage in one process, on the embedded stack or the servers that the settings name",
		Long: `up ingests events and seals due months until it is stopped. It prints where Kafka,
ClickHouse and /metrics listen. Data stays in the data folder; started again, it
goes on where it was.`,
		Example: "  RECKON_DATA_DIR=/var/lib/reckon RECKON_KAFKA_EMBEDDED_PORT=9092 reckon up",
		Args:    noArgs(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.serve(cmd.Context(), stages{ingest: true, invoicer: true, migrate: true, banner: true})
		},
	}
}

func (a *app) ingestCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "ingest",
		Short: "Move events from Kafka to ClickHouse until stopped",
		Long: `ingest joins the consumer group, stores events in ClickHouse and commits what is
stored. Run as many as there are partitions. On servers run reckon migrate first.`,
		Args: noArgs(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.serve(cmd.Context(), stages{ingest: true})
		},
	}
}

func (a *app) invoicerCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "invoicer",
		Short: "Seal every due month, woken by the schedule, until stopped",
		Long: `invoicer wakes on billing.schedule and seals every month that has ended, whose
grace has passed and that is not sealed. A missed, late or doubled tick, or a
second invoicer, changes nothing.`,
		Args: noArgs(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.serve(cmd.Context(), stages{invoicer: true})
		},
	}
}

// stages says what a process does.
type stages struct{ ingest, invoicer, migrate, banner bool }

// usualPorts are where a long-running embedded stack listens unless the settings
// say otherwise, so that producers find it again after a restart.
func usualPorts() embedded.Ports { return embedded.Ports{Kafka: 19092, Native: 19000, HTTP: 18123} }

// serve runs the stages under supervision until the process is told to stop.
func (a *app) serve(ctx context.Context, what stages) (err error) {
	cfg, log, err := a.settings()
	if err != nil {
		return err
	}
	switch {
	case cfg.Kafka.UsesEmbedded(): // the broker is in this process
	case what == stages{ingest: true}:
		telemetry.LimitIngestMemory(int64(cfg.Ingest.Memory))
	case what == stages{invoicer: true}:
		telemetry.LimitSealMemory()
	}
	s, err := a.connectOn(ctx, cfg, log, usualPorts())
	if err != nil {
		return unlessStopped(ctx, err)
	}
	defer func() { err = errors.Join(err, s.close()) }()
	if what.migrate {
		if err := s.prepare(ctx); err != nil {
			return unlessStopped(ctx, err)
		}
	}
	if err := s.check(ctx); err != nil {
		return unlessStopped(ctx, err)
	}
	reg := telemetry.NewRegistry()
	seals, err := s.invoicerStage(reg)
	if err != nil {
		return unlessStopped(ctx, err)
	}
	if err := seals.CheckSettings(ctx); err != nil {
		return unlessStopped(ctx, err)
	}
	health := &telemetry.Health{}
	server, err := telemetry.Listen(ctx, cfg.Listen, reg, health, log)
	if err != nil {
		return unlessStopped(ctx, err)
	}
	if what.banner {
		a.sayWhere(s, server.Address())
	}
	supervisor := telemetry.NewSupervisor(log, reg, a.now, telemetry.Sleep)
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return server.Serve(ctx) })
	if what.ingest {
		stage, check := s.ingestStage(reg), health.Check("ingest")
		g.Go(func() error {
			supervisor.Run(ctx, "ingest", check, func(ctx context.Context, ready func()) error {
				ready()
				return stage.run(ctx)
			})
			return nil
		})
	}
	if what.invoicer {
		check := health.Check("invoicer")
		g.Go(func() error {
			supervisor.Run(ctx, "invoicer", check, func(ctx context.Context, ready func()) error {
				ready()
				return runSchedule(ctx, cfg, log, seals)
			})
			return nil
		})
	}
	g.Go(func() error { return s.watchStore(ctx, reg, health.Check("clickhouse")) })
	return g.Wait()
}

// unlessStopped drops what failed while starting because the process was told to
// stop meanwhile.
func unlessStopped(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil //nolint:nilerr // it broke off because of that
	}
	return err
}

// check is the guard at start-up: it refuses servers whose settings would lose or
// double events, and topics that are not there.
func (s *system) check(ctx context.Context) error {
	var errs []error
	if err := s.store.Check(ctx); err != nil {
		errs = append(errs, fmt.Errorf("check the store: %w", err))
	}
	topics := s.cfg.Kafka.Topics
	for _, t := range []struct{ setting, name string }{
		{"kafka.topics.lifecycle", topics.Lifecycle}, {"kafka.topics.usage", topics.Usage}, {"kafka.topics.dead_letter", topics.DeadLetter},
	} {
		warnings, err := s.kafka.CheckTopics(ctx, t.name)
		switch {
		case errors.Is(err, kafka.ErrNoTopic):
			errs = append(errs, fmt.Errorf("%s: %w: run reckon migrate", t.setting, err))
		case err != nil:
			errs = append(errs, fmt.Errorf("%s: %w", t.setting, err))
		}
		for _, w := range warnings {
			s.log.Warn("a topic may lose events", "warning", w)
		}
	}
	return errors.Join(errs...)
}

// prepare makes tables and topics where they are missing; on the embedded stack
// that was done when it started.
func (s *system) prepare(ctx context.Context) error {
	if !s.cfg.ClickHouse.UsesEmbedded() {
		if _, err := s.store.Migrate(ctx, s.now()); err != nil {
			return fmt.Errorf("migrate: %w", err)
		}
	}
	if !s.cfg.Kafka.UsesEmbedded() {
		return s.ensureTopics(ctx)
	}
	return nil
}

func (a *app) sayWhere(s *system, metrics string) {
	kafkaAt, native, http := s.cfg.Kafka.Brokers, s.cfg.ClickHouse.Addresses, ""
	if s.cfg.Kafka.UsesEmbedded() {
		kafkaAt = []string{s.endpoints.Kafka}
	}
	if s.cfg.ClickHouse.UsesEmbedded() {
		native, http = []string{s.endpoints.Native}, s.endpoints.HTTP
	}
	a.printf("reckon is up\n  kafka              %s\n  clickhouse native  %s\n", join(kafkaAt), join(native))
	if http != "" {
		a.printf("  clickhouse http    http://%s\n  user, password     %s, in %s/endpoints.json\n",
			http, s.endpoints.User, s.cfg.DataDir)
	}
	a.printf("  metrics            http://%s/metrics\n", metrics)
}

// runSchedule seals what is due now and whenever the schedule wakes it. The tick
// only says "look": what is due is asked of the state (immunity J6).
func runSchedule(ctx context.Context, cfg config.Config, log *slog.Logger, v *invoicer.Invoicer) error {
	look := make(chan struct{}, 1)
	wake := func() {
		select {
		case look <- struct{}{}:
		default: // it is about to look anyway
		}
	}
	clock := cron.New(cron.WithLocation(cfg.Billing.Location))
	if _, err := clock.AddFunc(cfg.Billing.Schedule, wake); err != nil {
		return fmt.Errorf("billing.schedule: %w", err)
	}
	clock.Start()
	defer clock.Stop()
	wake()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-look:
		}
		seals, err := v.SealDue(ctx)
		for _, s := range seals {
			log.Info("sealed", "period", s.Month.String(), "run", s.Run, "invoices", s.Totals.Invoices,
				"adjustments", s.Totals.Adjustments, "parked", len(s.Parked))
		}
		if err != nil {
			return err
		}
	}
}

// watchStore keeps /readyz true to whether the store answers, and exports the
// gauges that only the store can tell.
func (s *system) watchStore(ctx context.Context, reg prometheus.Registerer, check *telemetry.Check) error {
	gauges := newStoreGauges(reg)
	for ctx.Err() == nil {
		began := s.now()
		if err := gauges.refresh(ctx, s); err != nil {
			check.NotReady(err.Error())
		} else {
			check.Ready()
		}
		// Counting reads every identity: it may take a twentieth of the time.
		telemetry.Sleep(ctx, max(storeEvery, 20*s.now().Sub(began)))
	}
	return nil
}
