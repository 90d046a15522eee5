package main

import (
	"context"
	"log/slog"

	"github.com/reckon-billing/reckon/internal/app"
	"github.com/reckon-billing/reckon/internal/config"
	"github.com/reckon-billing/reckon/internal/embedded"
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

// quiet is the log of a one-shot run: only what went wrong.
func quiet(log *slog.Logger, cfg config.Config) *slog.Logger {
	if cfg.Log.Level == "debug" {
		return log
	}
	return slog.New(slog.DiscardHandler)
}
