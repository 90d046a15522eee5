package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/reckon-billing/reckon/internal/app"
	"github.com/reckon-billing/reckon/internal/audit"
	"github.com/reckon-billing/reckon/schemas"
)

func (a *cli) verifyCommand() *cobra.Command {
	v := verify{cli: a}
	var month string
	cmd := &cobra.Command{
		Use:   "verify --month YYYY-MM",
		Short: "Derive a sealed month again from its events and compare every invoice",
		Long: `verify proves a sealed month. From the events up to the last seal's cutoff it derives
the month again and compares with its invoices and adjustments to the minor unit, and
with the periods, item-minutes and snapshots that its runs kept; checks that every
stored header and line has the hash that it was sealed with; that item-minutes lived
are on lines or excluded; that the rows of runs and seals are as they were sealed; and
that every message that Kafka has before the cutoff is stored exactly once, as an event
or as a dead letter, with the columns that its bytes come to. What Kafka has deleted is
compared with its bytes as they are stored.

It changes nothing. It ends with 1 and the first differences of each kind, each with the
invoice and the line, or the row, the column, what is stored and what is derived.`,
		Example: "  reckon verify --month 2026-10",
		Args:    noArgs(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			m, err := monthFlag(month)
			if err != nil {
				return err
			}
			v.month = m
			return a.onStore(cmd.Context(), v.run)
		},
	}
	cmd.Flags().StringVar(&month, "month", "", "the month, as 2026-10 (needed)")
	cmd.Flags().BoolVar(&v.skipLog, "skip-log", false, "do not read Kafka again: then it is not known whether messages were lost or changed")
	return cmd
}

// verify is one run of the command.
type verify struct {
	*cli
	month   schemas.Month
	skipLog bool
}

func (v *verify) run(ctx context.Context, s *app.App) error {
	proof, err := s.Verify(ctx, v.month, v.skipLog)
	if err != nil {
		return err
	}
	return v.say(s, proof)
}

// say prints what was found or, where nothing was, what was checked.
func (v *verify) say(s *app.App, p *audit.Proof) error {
	if n := len(p.Found); n > 0 {
		for _, text := range p.Found {
			v.printf("%s\n", text)
		}
		if p.RunsDiffer {
			return fmt.Errorf("the runs differ in %d places; nothing else was compared, as all rests on them", n)
		}
		if p.More {
			return fmt.Errorf("%s differs; these are the first %d differences", v.month, n)
		}
		return fmt.Errorf("%s differs in %d places", v.month, n)
	}
	v.printf("%s is as its events say, up to the cutoff of run %d (%s)\n", v.month, p.Run.Number,
		p.Run.CreatedAt.In(s.Config.Billing.Location).Format(time.RFC3339))
	c := &p.Issued
	v.printf("  invoices      %d and %d adjustments with %d lines, total %s %s\n", c.Invoices, c.Adjustments, c.Lines,
		s.Currency().Format(c.Amounts.TotalAmount), s.Currency().Code)
	v.printf("  hashes        of each of them\n")
	for _, h := range p.Hashes {
		v.printf("                %x of the %d that run %d issued\n", h.Hash, h.Invoices, h.Run)
	}
	v.printf("  conservation  of %d accounts: %d item-minutes lived = %d on lines + %d excluded\n", p.Accounts,
		p.Minutes.Lived, p.Minutes.OnLines, p.Minutes.Excluded)
	v.printf("  kept          %d periods, %d snapshots and %d anomalies, of %d runs\n", p.Kept.Periods, p.Kept.Snapshots, p.Kept.Anomalies, p.Kept.Runs)
	v.sayMessages(p)
	return nil
}

// sayMessages says what is known of the messages.
func (v *verify) sayMessages(p *audit.Proof) {
	i := &p.Messages
	if v.skipLog {
		v.printf("  identity      no message is stored twice: %d copies, %d dead letters; Kafka was not read\n", i.Copies, i.Rejected)
	} else {
		v.printf("  identity      %d messages in %d partitions = %d copies + %d dead letters\n", i.Read+i.Older, len(p.Run.Cutoff), i.Copies, i.Rejected)
		if i.Older > 0 {
			v.printf("                %d of them Kafka has deleted since: they were compared with their own bytes, as they are stored\n", i.Older)
		}
	}
	for _, g := range p.Gaps {
		v.printf("                %s/%d%s: the messages from offset %d to %d were gone before they were read: %s\n",
			g.Topic, g.Partition, schemas.OfLog(g.Log), g.From, g.End, g.Reason)
	}
	if i.Former > 0 {
		v.printf("                %d of them were stored or rejected by rules of an older version, which this one does not have\n", i.Former)
	}
}
