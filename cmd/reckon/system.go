package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/reckon-billing/reckon/internal/clickhouse"
	"github.com/reckon-billing/reckon/internal/config"
	"github.com/reckon-billing/reckon/internal/embedded"
	"github.com/reckon-billing/reckon/internal/kafka"
	"github.com/reckon-billing/reckon/internal/telemetry"
	"github.com/reckon-billing/reckon/schemas"
)

// settings loads the configuration and the log; what is wrong is a usage error.
func (a *app) settings() (config.Config, *slog.Logger, error) {
	cfg, err := config.Load(a.configFile, a.environ)
	if err != nil {
		return cfg, nil, usageError{err}
	}
	log, err := telemetry.NewLogger(a.stderr, cfg.Log.Level, cfg.Log.Format)
	if err != nil {
		return cfg, nil, usageError{err}
	}
	return cfg, log, nil
}

// system is the log and the store that the settings name, connected: the
// embedded ones, started here or by a reckon up that runs, or servers.
type system struct {
	cfg   config.Config
	log   *slog.Logger
	now   func() time.Time
	kafka *kafka.Client
	store *clickhouse.Store
	// stack is the embedded stack when it was started here, else nil.
	stack     *embedded.Stack
	endpoints embedded.Endpoints
	ports     embedded.Ports
}

// connect starts or finds the embedded stack where the settings want it, and
// connects. Migrated tells that the tables and topics are made where missing;
// otherwise, on servers, that is left to reckon migrate.
func (a *app) connect(ctx context.Context, cfg config.Config, log *slog.Logger) (*system, error) {
	return a.connectOn(ctx, cfg, log, embedded.Ports{})
}

// connectOn is connect with the ports that the embedded stack takes where the
// settings name none: if one is taken, another.
func (a *app) connectOn(ctx context.Context, cfg config.Config, log *slog.Logger, otherwise embedded.Ports) (*system, error) {
	s := &system{cfg: cfg, log: log, now: a.now, ports: otherwise}
	if cfg.Kafka.UsesEmbedded() || cfg.ClickHouse.UsesEmbedded() {
		if err := s.embed(ctx); err != nil {
			return nil, err
		}
	}
	if err := s.dial(ctx); err != nil {
		return nil, errors.Join(err, s.close())
	}
	if cfg.ClickHouse.UsesEmbedded() {
		if _, err := s.store.Migrate(ctx, s.now()); err != nil {
			return nil, errors.Join(fmt.Errorf("migrate the embedded ClickHouse: %w", err), s.close())
		}
	}
	if cfg.Kafka.UsesEmbedded() {
		if err := s.ensureTopics(ctx); err != nil {
			return nil, errors.Join(err, s.close())
		}
	}
	return s, nil
}

// embed starts the embedded stack, or finds the one that runs on the data folder.
func (s *system) embed(ctx context.Context) error {
	ports := embedded.Ports{
		Kafka: s.cfg.Kafka.Embedded.Port, Native: s.cfg.ClickHouse.Embedded.NativePort, HTTP: s.cfg.ClickHouse.Embedded.HTTPPort,
	}
	// A port that was asked for is that one or none.
	fixed := ports != embedded.Ports{}
	if !fixed {
		ports = s.ports
	}
	stack, err := embedded.Start(ctx, embedded.Options{
		DataDir: s.cfg.DataDir, EngineDir: s.cfg.EngineDir, Log: s.log, Ports: ports, PortsFixed: fixed,
		MemoryBytes: int64(s.cfg.ClickHouse.Embedded.Memory),
	})
	if errors.Is(err, embedded.ErrLocked) {
		running, findErr := embedded.ReadEndpoints(s.cfg.DataDir)
		if findErr != nil {
			return err
		}
		s.endpoints = running
		return nil
	}
	if err != nil {
		return fmt.Errorf("start the embedded stack: %w", err)
	}
	s.stack, s.endpoints = stack, stack.Endpoints()
	return nil
}

func (s *system) dial(ctx context.Context) error {
	brokers, kafkaTLS, err := s.cfg.Kafka.Brokers, (*tls.Config)(nil), error(nil)
	if s.cfg.Kafka.UsesEmbedded() {
		brokers = []string{s.endpoints.Kafka}
	} else if kafkaTLS, err = s.cfg.Kafka.TLS.Client(); err != nil {
		return usageError{err}
	}
	k := kafka.Config{Brokers: brokers, TLS: kafkaTLS, Now: s.now}
	if login := s.cfg.Kafka.SASL; login.Mechanism != "" {
		k.SASL = &kafka.SASL{Mechanism: login.Mechanism, Username: login.Username, Password: login.Password.Reveal()}
	}
	if s.kafka, err = kafka.New(k); err != nil {
		return usageError{err}
	}
	c := clickhouse.Config{
		Addresses: s.cfg.ClickHouse.Addresses, Database: s.cfg.ClickHouse.Database,
		Username: s.cfg.ClickHouse.Username, Password: s.cfg.ClickHouse.Password.Reveal(),
		Cluster: s.cfg.ClickHouse.Cluster, Digits: s.cfg.Billing.MinorDigits,
	}
	if s.cfg.ClickHouse.UsesEmbedded() {
		c.Addresses, c.Username, c.Password = []string{s.endpoints.Native}, s.endpoints.User, s.endpoints.Password
	} else if c.TLS, err = s.cfg.ClickHouse.TLS.Client(); err != nil {
		return usageError{err}
	}
	if s.store, err = clickhouse.Open(c); err != nil {
		return usageError{err}
	}
	// Told to stop, nothing waits for a server that hangs.
	s.store.EndWith(ctx)
	return nil
}

// ensureTopics makes the topics where they are missing and says what of those
// that are there could lose events.
func (s *system) ensureTopics(ctx context.Context) error {
	t := s.cfg.Kafka.Topics
	spec := func(name string, maxBytes int) kafka.TopicSpec {
		return kafka.TopicSpec{
			Name: name, Partitions: s.cfg.Kafka.Partitions, ReplicationFactor: s.cfg.Kafka.ReplicationFactor, MaxMessageBytes: maxBytes,
		}
	}
	warnings, err := s.kafka.EnsureTopics(ctx, spec(t.Lifecycle, kafka.EventTopicBytes), spec(t.Usage, kafka.EventTopicBytes),
		spec(t.DeadLetter, kafka.DeadLetterTopicBytes))
	if err != nil {
		return fmt.Errorf("make the topics: %w", err)
	}
	for _, w := range warnings {
		s.log.Warn("a topic may lose events", "warning", w)
	}
	return nil
}

// close lets go of everything that connect made; the stack last.
func (s *system) close() error { return s.closeWithin(stopWithin) }

// closeWithin is close for a stack that is killed where it takes longer.
func (s *system) closeWithin(patience time.Duration) error {
	var errs []error
	if s.store != nil {
		errs = append(errs, s.store.Close())
	}
	if s.stack != nil {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		errs = append(errs, s.stack.Close(ctx))
	}
	return errors.Join(errs...)
}

// stopWithin bounds how long stopping the embedded stack may take.
const stopWithin = 4 * time.Second

// currency is the installation's.
func (s *system) currency() schemas.Currency {
	return schemas.Currency{Code: s.cfg.Billing.Currency, Digits: s.cfg.Billing.MinorDigits}
}

// eventTopics are the two that events come from.
func (s *system) eventTopics() []string {
	return []string{s.cfg.Kafka.Topics.Lifecycle, s.cfg.Kafka.Topics.Usage}
}

// Ends and Stored make the system the log that the invoicer asks.
func (s *system) Ends(ctx context.Context) ([]schemas.PartitionEnd, error) {
	return s.kafka.Ends(ctx, s.eventTopics()...)
}

// Stored is what ingest has committed: it commits only what is stored, and what is
// stored anywhere is here by then.
func (s *system) Stored(ctx context.Context) ([]schemas.PartitionEnd, error) {
	stored, err := s.kafka.Committed(ctx, s.cfg.Kafka.Group, s.eventTopics()...)
	if err != nil {
		return nil, err
	}
	return stored, s.store.CatchUp(ctx)
}
