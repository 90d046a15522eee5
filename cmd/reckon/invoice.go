package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/reckon-billing/reckon/internal/app"
	"github.com/reckon-billing/reckon/internal/report"
	"github.com/reckon-billing/reckon/internal/telemetry"
	"github.com/reckon-billing/reckon/schemas"
)

func (a *cli) invoiceCommand() *cobra.Command {
	c := invoiceCommand{cli: a}
	var month, format string
	cmd := &cobra.Command{
		Use:   "invoice --month YYYY-MM | --settle-all",
		Short: "Seal a month (and every earlier one that is not sealed) now",
		Long: `invoice seals the month: its invoices never change again. It waits until ingest has
stored all that lies in Kafka now, and says which partition lags meanwhile. Of a
month that is sealed already it settles the events that came late.

--settle-all derives every sealed month of every resource again, whether or not an
event of it came late, and settles what differs from what was invoiced. It is for after
a log was accepted or a store was restored; it reads every event that is stored.

With --dry-run nothing is written: it prints the lines that it would invoice, those of
adjustments for late events among them.`,
		Example: "  reckon invoice --month 2026-10 --dry-run\n  reckon invoice --month 2026-10\n  reckon invoice --settle-all --dry-run",
		Args:    noArgs(),
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if c.settleAll && (month != "" || c.empty) {
				return usagef("--settle-all is of every month that is sealed: leave --month and --empty out")
			}
			if !c.settleAll {
				if c.month, err = monthFlag(month); err != nil {
					return err
				}
			}
			if c.format, err = formatFlag(format); err != nil {
				return err
			}
			return c.run(cmd.Context())
		},
	}
	cmd.Flags().StringVar(&month, "month", "", "the month to seal, as 2026-10 (needed, but with --settle-all)")
	cmd.Flags().BoolVar(&c.settleAll, "settle-all", false, "derive every sealed month of every resource again, and settle what differs")
	cmd.Flags().BoolVar(&c.empty, "empty", false, "let billing begin with this month, though nothing is stored of it or of the time before")
	cmd.Flags().BoolVar(&c.dryRun, "dry-run", false, "print what would be invoiced, write nothing")
	cmd.Flags().StringVar(&format, "format", string(report.Table), "of --dry-run: table, csv or json")
	cmd.Flags().DurationVar(&c.wait, "wait", 10*time.Minute, "how long to wait for ingest")
	return cmd
}

func monthFlag(value string) (schemas.Month, error) {
	if value == "" {
		return schemas.Month{}, usagef("--month is needed, as in --month 2026-10")
	}
	m, err := schemas.ParseMonth(value)
	if err != nil {
		return m, usagef("--month: %w", err)
	}
	return m, nil
}

// invoiceCommand seals one month, or settles all that are sealed, or shows what that
// would do.
type invoiceCommand struct {
	*cli
	month     schemas.Month
	settleAll bool
	dryRun    bool
	empty     bool
	format    report.Format
	wait      time.Duration

	progress *report.Progress
}

func (c *invoiceCommand) run(ctx context.Context) (err error) {
	cfg, log, err := c.settings()
	if err != nil {
		return err
	}
	if c.dryRun {
		if err := hasData(&cfg); err != nil {
			return err
		}
	} else if !c.settleAll {
		if err := app.CheckDue(&cfg.Billing, c.month, c.now()); err != nil {
			return err
		}
	}
	if !cfg.Kafka.UsesEmbedded() {
		telemetry.LimitSealMemory()
	}
	s, err := c.connect(ctx, cfg, quiet(log, cfg))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if err := s.Check(ctx); err != nil {
		return err
	}
	v, err := s.Sealer(nil)
	if err != nil {
		return err
	}
	v.Empty = c.empty
	c.progress = report.NewProgress(c.stderr, c.now)
	v.Waiting, v.Progress = c.sayWaiting(), c.sayProgress
	return s.WithIngest(ctx, func(ctx context.Context) error {
		if c.dryRun {
			return c.preview(ctx, s, v)
		}
		return c.seal(ctx, v)
	})
}

func (c *invoiceCommand) seal(ctx context.Context, v *app.Sealer) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	v.Waiting = c.bounded(v.Waiting, cancel)
	seals, err := c.seals(ctx, v)
	c.progress.Clear()
	if err != nil && errors.Is(context.Cause(ctx), errWaited) {
		err = fmt.Errorf("%w: %w", errWaited, err)
	}
	if errors.As(err, new(*app.EmptyMonthError)) {
		err = fmt.Errorf("%w: seal another month, or add --empty if this one is meant", err)
	}
	for _, s := range seals {
		done := "sealed"
		if c.settleAll {
			done = "and all before it settled"
		}
		c.printf("%s %s by run %d: %d invoices, %d adjustments, %d lines, total %s %s\n", s.Month, done, s.Run,
			s.Totals.Invoices, s.Totals.Adjustments, s.Totals.Lines, v.Currency.Format(s.Totals.Amounts.TotalAmount), v.Currency.Code)
	}
	if err != nil {
		return err
	}
	if len(seals) == 0 {
		c.printf("%s is sealed already, and nothing came late since\n", c.month)
	}
	return app.Parked(seals)
}

func (c *invoiceCommand) seals(ctx context.Context, v *app.Sealer) ([]app.Seal, error) {
	if c.settleAll {
		return v.SettleAll(ctx)
	}
	return v.Seal(ctx, c.month)
}

func (c *invoiceCommand) preview(ctx context.Context, s *app.App, v *app.Sealer) error {
	run, err := c.sealedBy(ctx, s)
	if err != nil {
		return err
	}
	shown := 0
	out := report.NewWriter(c.stdout, c.format, reportOptions(s))
	defer c.progress.Clear()
	err = c.previews(ctx, v, func(h schemas.Invoice, lines []schemas.Line) error {
		c.progress.Clear()
		for _, l := range lines {
			shown++
			if err := out.Write(&schemas.ReportRow{Line: l, CreatedAt: h.CreatedAt, Status: report.Status(&h), Kind: h.Kind}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	c.progress.Clear()
	switch {
	case c.settleAll && shown == 0:
		c.tell("no sealed month differs from what was invoiced\n")
	case run > 0 && shown == 0:
		c.tell("%s is sealed already, by run %d: nothing came late since\n", c.month, run)
	case run > 0:
		c.tell("%s is sealed already, by run %d: this would settle what came late since\n", c.month, run)
	}
	return out.Close()
}

func (c *invoiceCommand) previews(ctx context.Context, v *app.Sealer, each func(schemas.Invoice, []schemas.Line) error) error {
	if c.settleAll {
		return v.PreviewAll(ctx, each)
	}
	return v.Preview(ctx, c.month, each)
}

// sealedBy is the run that sealed the month, 0 for none.
func (c *invoiceCommand) sealedBy(ctx context.Context, s *app.App) (int64, error) {
	seals, err := s.Store.Seals(ctx)
	if err != nil {
		return 0, err
	}
	for _, seal := range seals { // the first of them sealed it, others settled
		if seal.Month == c.month {
			return seal.Run, nil
		}
	}
	return 0, nil
}

var errWaited = errors.New("ingest has not stored all that was sent within --wait")

// bounded gives up when one wait for ingest lasts too long. The seal itself may
// take as long as it does.
func (c *invoiceCommand) bounded(tell func([]app.Lag), giveUp context.CancelCauseFunc) func([]app.Lag) {
	var began, last time.Time
	return func(lags []app.Lag) {
		tell(lags)
		now := c.now()
		if now.Sub(last) > 10*time.Second { // it asks many times a second: this is another wait
			began = now
		}
		if last = now; now.Sub(began) > c.wait {
			giveUp(errWaited)
		}
	}
}

// sayWaiting tells people, not too often, what a seal waits for.
func (c *invoiceCommand) sayWaiting() func([]app.Lag) {
	var every time.Duration // the first time at once
	return func(lags []app.Lag) {
		if !c.progress.Due(every) {
			return
		}
		every = 2 * time.Second
		for _, l := range lags {
			c.progress.Show(l.Stored, l.Noted, fmt.Sprintf("waiting for ingest: %s/%d is stored to %d of %d", l.Topic, l.Partition, l.Stored, l.Noted), c.tellLine)
		}
	}
}

func (c *invoiceCommand) sayProgress(run schemas.Run, t app.Totals) {
	if c.progress.Due(time.Second) {
		c.progress.Show(0, 0, fmt.Sprintf("sealing %s: %d invoices, %d lines", run.Month, t.Invoices, t.Lines), c.tellLine)
	}
}
