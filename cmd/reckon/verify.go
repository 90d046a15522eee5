package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/reckon-billing/reckon/invoicer"

	"github.com/reckon-billing/reckon/schemas"
)

func (a *cli) verifyCommand() *cobra.Command {
	v := verify{cli: a}
	var month string
	cmd := &cobra.Command{
		Use:   "verify --month YYYY-MM",
		Short: "Derive a sealed month again from its events and compare every invoice",
		Long: `verify proves a sealed month. From the events up to the last seal's cutoff it derives
the month again and compares with its invoices and adjustments to the minor unit;
checks that every stored header and line has the hash that it was sealed with; that
item-minutes lived are on lines or excluded; and that every message that Kafka has
before the cutoff is stored exactly once, as an event or as a dead letter.

It changes nothing. It ends with 1 and the first differences, each with the invoice,
the line, the column, what is stored and what is derived.`,
		Example: "  reckon verify --month 2026-10",
		Args:    noArgs(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			m, err := monthFlag(month)
			if err != nil {
				return err
			}
			v.month = m
			return v.run(cmd.Context())
		},
	}
	cmd.Flags().StringVar(&month, "month", "", "the month, as 2026-10 (needed)")
	cmd.Flags().BoolVar(&v.skipLog, "skip-log", false, "do not read Kafka again: then it is not known whether messages were lost")
	return cmd
}

// verify is one run of the command.
type verify struct {
	*cli
	month   schemas.Month
	skipLog bool
}

func (v *verify) run(ctx context.Context) (err error) {
	cfg, log, err := v.settings()
	if err != nil {
		return err
	}
	s, err := v.connect(ctx, cfg, quiet(log, cfg))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	proof, err := s.proofOf(ctx, v.month)
	if err != nil {
		return err
	}
	for _, step := range []func(context.Context) error{
		proof.invoices, proof.hashes, proof.conservation,
		func(ctx context.Context) error { return proof.identity(ctx, v.skipLog) },
	} {
		if err := step(ctx); err != nil && !errors.Is(err, errEnough) {
			return err
		}
	}
	return v.say(proof)
}

// say prints what was found or, where nothing was, what was checked.
func (v *verify) say(p *proof) error {
	if n := len(p.found); n > 0 {
		for _, text := range p.found {
			v.printf("%s\n", text)
		}
		if p.more {
			return fmt.Errorf("%s differs; these are the first %d differences", v.month, n)
		}
		return fmt.Errorf("%s differs in %d places", v.month, n)
	}
	v.printf("%s is as its events say, up to the cutoff of run %d (%s)\n", v.month, p.last.Number,
		p.last.CreatedAt.In(p.Config.Billing.Location).Format(time.RFC3339))
	c := &p.counted
	v.printf("  invoices      %d and %d adjustments with %d lines, total %s %s\n", c.Invoices, c.Adjustments, c.Lines,
		p.Currency().Format(c.Amounts.TotalAmount), p.Currency().Code)
	v.printf("  hashes        of each of them\n")
	for _, h := range p.months {
		v.printf("                %x of the %d that run %d issued\n", h.Hash, h.Invoices, h.Run)
	}
	v.printf("  conservation  of %d accounts: %d item-minutes lived = %d on lines + %d excluded\n", p.accounts,
		p.minutes.Lived, p.minutes.OnLines, p.minutes.Excluded)
	i := &p.messages
	if v.skipLog {
		v.printf("  identity      no message is stored twice: %d copies, %d dead letters; Kafka was not read\n", i.copies, i.rejected)
		return nil
	}
	v.printf("  identity      %d messages in %d partitions = %d copies + %d dead letters\n", i.read, len(p.last.Cutoff), i.copies, i.rejected)
	if i.older > 0 {
		v.printf("                %d more are stored that Kafka has deleted since\n", i.older)
	}
	return nil
}

// proofOf finds the last seal and what it rests on.
func (s *system) proofOf(ctx context.Context, month schemas.Month) (*proof, error) {
	runs, err := s.Store.Runs(ctx)
	if err != nil {
		return nil, err
	}
	seals, err := s.Store.Seals(ctx)
	if err != nil {
		return nil, err
	}
	p := &proof{system: s, month: month, runs: map[int64]int{}}
	sealed := map[int64]invoicer.Seal{}
	for _, seal := range seals {
		sealed[seal.Run] = seal
	}
	var through schemas.Month
	for i, run := range runs {
		seal, done := sealed[run.Number]
		if !done {
			break // what is being sealed now is not proven
		}
		p.last, p.earlier = run, runs[:i]
		p.all, p.runs[run.Number] = runs[:i+1], i
		if through.Before(run.Month) {
			through = run.Month
		}
		for _, parked := range seal.Parked {
			p.except = append(p.except, parked.AccountID)
			_ = p.differ("account %q is parked by run %d, so its invoices are not all issued: %s", parked.AccountID, run.Number, parked.Reason)
		}
	}
	if len(p.all) == 0 || through.Before(month) || month.Before(p.last.FirstMonth) {
		return nil, fmt.Errorf("%s is not sealed: there is nothing to verify", month)
	}
	return p, nil
}
