package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/reckon-billing/reckon/internal/clickhouse"
	"github.com/reckon-billing/reckon/internal/config"
	"github.com/reckon-billing/reckon/internal/embedded"
	"github.com/reckon-billing/reckon/internal/kafka"
	"github.com/reckon-billing/reckon/schemas"
	"github.com/reckon-billing/reckon/schemas/codec"
)

// Options are what a process is handed.
type Options struct {
	Config config.Config
	Log    *slog.Logger
	Now    func() time.Time
	// Command is what the process was started as, for others who find the data folder
	// in use: "report usage".
	Command string
	// Serves tells of a process that goes on until it is stopped: others may use its
	// engines.
	Serves bool
	// Claim is what becomes of it where others use the data folder.
	Claim Claim
	// Waiting is told, once, who uses the data folder while the process waits for it;
	// nil: the log is.
	Waiting func(embedded.Holder)
	// Ports are those that the embedded stack takes where the settings name none;
	// if one is taken, another.
	Ports embedded.Ports
	// Observe, where set, is told of every batch that ingest has stored: how many
	// messages, and why which of them were rejected.
	Observe func(messages int64, rejected map[schemas.Position]string)
	// Patience is how long stopping the embedded stack may take before its engine
	// is killed; 0 for the usual.
	Patience time.Duration
}

// usualPatience bounds how long stopping the embedded stack may take.
const usualPatience = 4 * time.Second

// App is the log and the store that the settings name, connected: the embedded
// ones, started here or by another process on the same folder, or servers.
type App struct {
	Options
	Kafka *kafka.Client
	Store *clickhouse.Store

	// stack is the embedded stack when it was started here, else nil.
	stack     *embedded.Stack
	endpoints embedded.Endpoints
	cleanups  cleanups
}

// Connect starts or finds the embedded stack where the settings want it, and
// connects. On the embedded stack tables and topics are made where they are
// missing; on servers that is left to [App.Prepare].
func Connect(ctx context.Context, o Options) (*App, error) {
	if o.Patience == 0 {
		o.Patience = usualPatience
	}
	a := &App{Options: o}
	if err := a.connect(ctx); err != nil {
		return nil, errors.Join(err, a.Close())
	}
	return a, nil
}

func (a *App) connect(ctx context.Context) error {
	if a.Config.Kafka.UsesEmbedded() || a.Config.ClickHouse.UsesEmbedded() {
		if err := a.embed(ctx); err != nil {
			return err
		}
	}
	if err := a.dial(ctx); err != nil {
		return err
	}
	if err := a.Store.CheckServers(ctx); err != nil {
		return err
	}
	if a.Config.ClickHouse.UsesEmbedded() {
		if _, err := a.Store.Migrate(ctx, a.Now()); err != nil {
			return fmt.Errorf("migrate the embedded ClickHouse: %w", err)
		}
	}
	if a.Config.Kafka.UsesEmbedded() {
		return a.ensureTopics(ctx)
	}
	return nil
}

// Close lets go of everything that was connected and started; the stack last.
func (a *App) Close() error { return a.cleanups.run() }

// Started tells whether the embedded stack was started here: then nobody else
// ingests.
func (a *App) Started() bool { return a.stack != nil }

// Endpoints are where the embedded stack listens.
func (a *App) Endpoints() embedded.Endpoints { return a.endpoints }

// Currency is the installation's.
func (a *App) Currency() schemas.Currency { return currencyOf(&a.Config.Billing) }

func currencyOf(b *config.Billing) schemas.Currency {
	return schemas.Currency{Code: b.Currency, Digits: b.MinorDigits}
}

// EventTopics are those that events come from.
func (a *App) EventTopics() []string {
	topics := codec.Topics()
	for i, topic := range topics {
		topics[i] = a.Config.Kafka.Topics.Of(topic)
	}
	return topics
}

// cleanups undo what was started, each by its name.
type cleanups struct{ list []cleanup }

type cleanup struct {
	name string
	run  func() error
}

func (c *cleanups) add(name string, run func() error) { c.list = append(c.list, cleanup{name, run}) }

// run undoes the last first, all of them whatever fails, and each once.
func (c *cleanups) run() error {
	var errs []error
	for n := len(c.list); n > 0; n = len(c.list) {
		last := c.list[n-1]
		c.list = c.list[:n-1]
		if err := last.run(); err != nil {
			errs = append(errs, fmt.Errorf("let go of the %s: %w", last.name, err))
		}
	}
	return errors.Join(errs...)
}
