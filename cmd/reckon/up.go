package main

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"github.com/reckon-billing/reckon/internal/app"
)

func (a *cli) upCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "up",
		Short: "Run every stage in one process, on the embedded stack or the servers that the settings name",
		Long: `up ingests events and seals due months until it is stopped. It prints where Kafka,
ClickHouse and /metrics listen. Data stays in the data folder; started again, it
goes on where it was.`,
		Example: "  RECKON_DATA_DIR=/var/lib/reckon RECKON_KAFKA_EMBEDDED_PORT=9092 reckon up",
		Args:    noArgs(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.serve(cmd.Context(), app.Up, a.banner)
		},
	}
}

func (a *cli) ingestCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "ingest",
		Short: "Move events from Kafka to ClickHouse until stopped",
		Long: `ingest joins the consumer group, stores events in ClickHouse and commits what is
stored. Run as many as there are partitions. On servers run reckon migrate first.`,
		Args: noArgs(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.serve(cmd.Context(), app.Ingest, nil)
		},
	}
}

func (a *cli) invoicerCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "invoicer",
		Short: "Seal every due month, woken by the schedule, until stopped",
		Long: `invoicer wakes on billing.schedule and seals every month that has ended, whose
grace has passed and that is not sealed. A missed, late or doubled tick, or a
second invoicer, changes nothing.`,
		Args: noArgs(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.serve(cmd.Context(), app.Invoicer, nil)
		},
	}
}

// serve runs the stages of a role until the process is told to stop.
func (a *cli) serve(ctx context.Context, role app.Role, listening func(app.Listening)) error {
	cfg, log, err := a.settings()
	if err != nil {
		return err
	}
	return app.Run(ctx, role, app.Options{Config: cfg, Log: log, Now: a.now}, listening)
}

// banner says where everything listens.
func (a *cli) banner(l app.Listening) {
	a.printf("reckon is up\n  kafka              %s\n  clickhouse native  %s\n", strings.Join(l.Kafka, ","), strings.Join(l.ClickHouse, ","))
	if l.HTTP != "" {
		a.printf("  clickhouse http    http://%s\n  user, password     %s, in %s\n", l.HTTP, l.User, l.PasswordFile)
	}
	a.printf("  metrics            http://%s/metrics\n", l.Metrics)
}
