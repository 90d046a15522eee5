package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/reckon-billing/reckon/internal/app"
	"github.com/reckon-billing/reckon/internal/config"
	"github.com/reckon-billing/reckon/internal/embedded"
	"github.com/reckon-billing/reckon/internal/report"
	"github.com/reckon-billing/reckon/internal/telemetry"
)

// settings loads the configuration and the log; what is wrong is a usage error.
func (a *cli) settings() (config.Config, *slog.Logger, error) {
	cfg, err := config.Load(a.configFile, a.environ)
	if err != nil {
		return cfg, nil, config.UsageError{Err: err}
	}
	log, err := telemetry.NewLogger(a.stderr, cfg.Log.Level, cfg.Log.Format)
	if err != nil {
		return cfg, nil, config.UsageError{Err: err}
	}
	return cfg, log, nil
}

// connect connects as a command does that asks or does one thing.
func (a *cli) connect(ctx context.Context, cfg config.Config, log *slog.Logger) (*app.App, error) {
	return app.Connect(ctx, app.Options{Config: cfg, Log: log, Now: a.now, Command: a.command, Waiting: func(h embedded.Holder) {
		a.tell("waiting for %s, which uses the data folder %s\n", h, cfg.DataDir)
	}})
}

// onStore connects as a command does that asks of what is there: it makes no data
// folder.
func (a *cli) onStore(ctx context.Context, work func(context.Context, *app.App) error) (err error) {
	cfg, log, err := a.settings()
	if err != nil {
		return err
	}
	if err := hasData(&cfg); err != nil {
		return err
	}
	s, err := a.connect(ctx, cfg, quiet(log, cfg))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	return work(ctx, s)
}

// hasData refuses a data folder that is none, where the settings want one.
func hasData(cfg *config.Config) error {
	if !cfg.Kafka.UsesEmbedded() && !cfg.ClickHouse.UsesEmbedded() {
		return nil
	}
	used, err := embedded.IsUsed(cfg.DataDir)
	if err == nil && !used {
		return fmt.Errorf("there is nothing in the data folder %s: name that of a reckon up by RECKON_DATA_DIR (data_dir)", cfg.DataDir)
	}
	return err
}

// hasAccount refuses an account that nothing was ever stored of; any account will do
// where none is named.
func hasAccount(ctx context.Context, s *app.App, account string) error {
	if account == "" {
		return nil
	}
	has, err := s.Store.HasAccount(ctx, account)
	if err == nil && !has {
		return fmt.Errorf("no account %s", report.SafeLine(account))
	}
	return err
}

// quiet is the log of a one-shot run: only what went wrong.
func quiet(log *slog.Logger, cfg config.Config) *slog.Logger {
	if cfg.Log.Level == "debug" {
		return log
	}
	return slog.New(slog.DiscardHandler)
}
