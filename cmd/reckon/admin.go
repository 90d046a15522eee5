package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/reckon-billing/reckon/internal/report"
)

func (a *cli) migrateCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "migrate",
		Short: "Make or bring up to date the tables in ClickHouse and the topics in Kafka",
		Long: `migrate applies the numbered migrations that ClickHouse does not have yet and makes
the topics that are missing. Running it again changes nothing. The embedded stack
does this by itself.`,
		Args: noArgs(),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.migrate(cmd.Context()) },
	}
}

func (a *cli) migrate(ctx context.Context) (err error) {
	cfg, log, err := a.settings()
	if err != nil {
		return err
	}
	s, err := a.connect(ctx, cfg, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if err := s.Prepare(ctx); err != nil {
		return err
	}
	a.printf("tables and topics are up to date\n")
	return nil
}

func (a *cli) configCommand() *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use:   "config",
		Short: "List every setting: its name in the file, its variable, its value and what it does",
		Args:  noArgs(),
		RunE: func(*cobra.Command, []string) error {
			if format != "table" && format != "json" {
				return usagef("--format %q: choose table or json", format)
			}
			return a.printConfig(format)
		},
	}
	cmd.Flags().StringVar(&format, "format", "table", "table or json")
	return cmd
}

func (a *cli) printConfig(format string) error {
	cfg, _, err := a.settings()
	if err != nil {
		return err
	}
	if format == "json" {
		out := json.NewEncoder(a.stdout)
		out.SetIndent("", "  ")
		return out.Encode(cfg.Settings())
	}
	list := report.NewList(a.stdout, report.Table, "setting", "variable", "value", "what it does")
	for _, s := range cfg.Settings() {
		if err := list.Write(s.Path, s.Env, s.Value, s.Doc); err != nil {
			return fmt.Errorf("list the settings: %w", err)
		}
	}
	return list.Close()
}
