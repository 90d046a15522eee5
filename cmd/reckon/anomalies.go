package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/reckon-billing/reckon/internal/app"
	"github.com/reckon-billing/reckon/internal/audit"
	"github.com/reckon-billing/reckon/internal/report"
	"github.com/reckon-billing/reckon/schemas"
)

func (a *cli) anomaliesCommand() *cobra.Command {
	var c anomalies
	var month, format string
	cmd := &cobra.Command{
		Use:   "anomalies",
		Short: "List the events that cannot apply and are billed nothing, each with its reason",
		Long: `anomalies lists them over all that is stored, whatever month it is of: a lifecycle event
that cannot apply to what the resource is then, usage that no period meters, a prepaid
life without a term. The table ends with a summary by reason; with csv and json the
summary goes to stderr.`,
		Example: "  reckon anomalies --month 2026-10\n  reckon anomalies --account acme --reason unmatched_usage --format csv",
		Args:    noArgs(),
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if c.format, err = formatFlag(format); err != nil {
				return err
			}
			if month != "" {
				if c.month, err = monthFlag(month); err != nil {
					return err
				}
			}
			if c.reason != "" && !slices.Contains(schemas.AnomalyReasons(), schemas.Reason(c.reason)) {
				return usagef("--reason %q: choose one of %v", c.reason, schemas.AnomalyReasons())
			}
			c.cli = a
			return a.onStore(cmd.Context(), c.run)
		},
	}
	cmd.Flags().StringVar(&month, "month", "", "only events of this month, as 2026-10")
	cmd.Flags().StringVar(&c.account, "account", "", "only of this account")
	cmd.Flags().StringVar(&c.reason, "reason", "", "only of this reason, as unmatched_usage")
	cmd.Flags().StringVar(&format, "format", string(report.Table), "table, csv or json")
	return cmd
}

// anomalies is one run of the command.
type anomalies struct {
	*cli
	month           schemas.Month
	account, reason string
	format          report.Format
}

func (c *anomalies) run(ctx context.Context, s *app.App) error {
	if err := hasAccount(ctx, s, c.account); err != nil {
		return err
	}
	// What ingest has committed is all stored.
	stored, err := s.Stored(ctx)
	if err != nil {
		return err
	}
	var accounts []string
	if c.account != "" {
		accounts = []string{c.account}
	}
	out := report.NewList(c.stdout, c.format, "account_id", "resource_id", "reason", "type", "time", "source", "id",
		"topic", "partition", "offset", "item", "value")
	count := map[schemas.Reason]int64{}
	err = s.Auditor().Anomalies(ctx, schemas.NewCutoff(stored), accounts, func(x schemas.Anomaly) error {
		e := &x.Event
		if c.reason != "" && x.Reason != schemas.Reason(c.reason) ||
			!c.month.IsZero() && schemas.MonthOf(e.Time, s.Config.Billing.Location) != c.month {
			return nil
		}
		count[x.Reason]++
		value := ""
		if x.Reason == schemas.UnmatchedUsage {
			value = schemas.FormatDecimal(x.Value)
		}
		return out.Write(x.AccountID, x.ResourceID, string(x.Reason), string(e.Type), audit.Stamp(e.Time, s.Config.Billing.Location), e.Source, e.ID,
			e.Position.Topic, e.Position.Partition, e.Position.Offset, x.Item, value)
	})
	if err != nil {
		return err
	}
	if err := out.Close(); err != nil {
		return fmt.Errorf("write the list: %w", err)
	}
	say := c.tell
	if c.format == report.Table {
		say = c.printf
	}
	for _, reason := range schemas.AnomalyReasons() {
		if count[reason] > 0 {
			say("%8d  %s\n", count[reason], reason)
		}
	}
	say("%8d  in all\n", out.Rows())
	return nil
}

func (a *cli) conflictsCommand() *cobra.Command {
	var account, format string
	cmd := &cobra.Command{
		Use:   "conflicts",
		Short: "List the copies of events that differ from the copy that counts, with both values",
		Long: `conflicts lists every copy of an event whose type, subject, time, sequence or data differ
from those of the copy that counts: it is counted and never billed. Both values are
shown as they stood in Kafka.`,
		Args: noArgs(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			f, err := formatFlag(format)
			if err != nil {
				return err
			}
			return a.onStore(cmd.Context(), func(ctx context.Context, s *app.App) error {
				return a.listConflicts(ctx, s, account, f)
			})
		},
	}
	cmd.Flags().StringVar(&account, "account", "", "only of this account")
	cmd.Flags().StringVar(&format, "format", string(report.Table), "table, csv or json")
	return cmd
}

func (a *cli) listConflicts(ctx context.Context, s *app.App, account string, format report.Format) error {
	if err := hasAccount(ctx, s, account); err != nil {
		return err
	}
	out := report.NewList(a.stdout, format, "account_id", "resource_id", "type", "time", "source", "id",
		"topic", "partition", "offset", "counting_topic", "counting_partition", "counting_offset", "value", "counting_value")
	err := s.Store.Conflicts(ctx, account, func(c *audit.Conflict) error {
		return out.Write(c.AccountID, c.ResourceID, string(c.Type), audit.Stamp(c.Time, s.Config.Billing.Location), c.Source, c.ID,
			c.Position.Topic, c.Position.Partition, c.Position.Offset,
			c.Counting.Topic, c.Counting.Partition, c.Counting.Offset, c.Raw, c.CountingRaw)
	})
	if err != nil {
		return err
	}
	if err := out.Close(); err != nil {
		return fmt.Errorf("write the list: %w", err)
	}
	say := a.tell
	if format == report.Table {
		say = a.printf
	}
	say("%8d  conflicts\n", out.Rows())
	return nil
}
