package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/reckon-billing/reckon/internal/app"
	"github.com/reckon-billing/reckon/internal/audit"
	"github.com/reckon-billing/reckon/internal/report"
	"github.com/reckon-billing/reckon/schemas"
)

func (a *cli) logCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "log",
		Short: "List the logs that events came from, and say what a log is that is not as it was",
		Long: `log is about the lives of topics. A topic that was deleted and made again, or lies on
another cluster, has the same offsets with other messages: reckon numbers such logs and
reads none that it does not know. Where what is there is not what is known, ingest and
seals stop until an operator has looked and said what it is.`,
		Args: noArgs(),
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(a.logListCommand(), a.logAcceptCommand())
	return cmd
}

func (a *cli) logListCommand() *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the logs, how far each partition is stored, the gaps, and what is not as it was",
		Args:  noArgs(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			f, err := formatFlag(format)
			if err != nil {
				return err
			}
			return a.onStore(cmd.Context(), func(ctx context.Context, s *app.App) error { return a.listLogs(ctx, s, f) })
		},
	}
	cmd.Flags().StringVar(&format, "format", string(report.Table), "table, csv or json")
	return cmd
}

func (a *cli) listLogs(ctx context.Context, s *app.App, format report.Format) error {
	r, err := s.Logs(ctx)
	if err != nil {
		return err
	}
	out := report.NewList(a.stdout, format, "setting", "log", "topic", "partition", "state", "stored_to", "not_stored", "began_at", "topic_id", "cluster_id", "reason")
	for i := range r.Logs {
		l := &r.Logs[i]
		state := "read"
		if l.Ended {
			state = "ended"
		}
		for _, p := range l.Reached {
			err := out.Write(l.Setting, schemas.LogNumber(l.Number), l.Topic, p.Partition, state, p.End, p.Seen-p.End,
				audit.Stamp(l.BeganAt, s.Config.Billing.Location), l.TopicID, l.ClusterID, l.Reason)
			if err != nil {
				return err
			}
		}
	}
	if err := out.Close(); err != nil {
		return fmt.Errorf("write the list: %w", err)
	}
	if len(r.Logs) == 0 {
		a.tell("no log was read yet: reckon ingest or up begins the first\n")
	}
	for _, g := range r.Gaps {
		a.tell("gap: %s/%d of log %d has no messages from offset %d to %d: %s\n", g.Topic, g.Partition, schemas.LogNumber(g.Log), g.From, g.End, g.Reason)
	}
	for _, d := range r.Found {
		a.tell("not as it was: %s\n", d.Said)
	}
	return nil
}

func (a *cli) logAcceptCommand() *cobra.Command {
	var reason string
	cmd := &cobra.Command{
		Use:   "accept --reason TEXT",
		Short: "Say that what is there now is another log, or that messages are gone",
		Long: `accept records what ingest and seals refuse: that a topic is another log now, which is
read from its begin while the one before ended where it is stored; or that messages were
deleted before they were read, which stays a gap that verify names for ever. What, when
and why are kept. Producers may send into a new log again what they sent before: it is
duplicates. It changes no invoice by itself: what the sealed months lack of it is
settled like all that comes late, or by reckon invoice --settle-all.`,
		Example: `  reckon log list
  reckon log accept --reason "cluster replaced on 2026-10-12, ticket 4711"`,
		Args: noArgs(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if reason = strings.TrimSpace(reason); reason == "" {
				return usagef("--reason is needed: it is kept, and says to whoever looks later why")
			}
			return a.onStore(cmd.Context(), func(ctx context.Context, s *app.App) error { return a.acceptLogs(ctx, s, reason) })
		},
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why (needed)")
	return cmd
}

func (a *cli) acceptLogs(ctx context.Context, s *app.App, reason string) error {
	found, err := s.AcceptLogs(ctx, reason)
	for _, d := range found {
		as := "another log"
		if d.Gap {
			as = "a gap"
		}
		a.printf("accepted as %s: %s\n", as, d.Said)
	}
	switch {
	case err != nil:
	case len(found) == 0:
		a.printf("nothing to accept: every log is as it is known\n")
	default:
		a.tell("an ingest that runs goes on by itself within half a minute\n")
	}
	return err
}
