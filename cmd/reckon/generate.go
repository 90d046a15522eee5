package main

import (
	"bufio"
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/reckon-billing/reckon/internal/config"
	"github.com/reckon-billing/reckon/internal/generate"
	"github.com/reckon-billing/reckon/schemas"
)

// cloudFlags are how large and how noisy a made-up cloud is.
type cloudFlags struct {
	generate.Config
	month string
	clean bool
}

func (c *cloudFlags) register(flags *pflag.FlagSet, accounts, resources, usage int) {
	flags.Uint64Var(&c.Seed, "seed", 1, "which of many clouds: the same seed gives the same bytes")
	flags.StringVar(&c.month, "month", "", "the first month, as 2026-10 (default: such that the last one has just ended)")
	flags.IntVar(&c.Months, "months", 1, "how many months, each sealed at its end")
	flags.IntVar(&c.Accounts, "accounts", accounts, "how many accounts")
	flags.IntVar(&c.Resources, "resources", resources, "how many resources")
	flags.IntVar(&c.Usage, "usage", usage, "about how many usage events")
	flags.IntVar(&c.Noise.Late, "late", 0, "late events: of 10,000 so many come after their month's seal")
	flags.BoolVar(&c.clean, "clean", false, "no disorder, duplicates, conflicts, poison or anomalies")
}

// config completes the flags.
func (c *cloudFlags) config(now time.Time, zone *time.Location) (generate.Config, error) {
	c.Zone = zone
	late := c.Noise.Late
	if !c.clean {
		c.Noise = generate.Believable()
	}
	c.Noise.Late = late
	c.First = schemas.MonthOf(now, zone)
	for range c.Months {
		c.First = c.First.Prev()
	}
	if c.month != "" {
		var err error
		if c.First, err = monthFlag(c.month); err != nil {
			return c.Config, err
		}
	}
	if err := c.Validate(); err != nil {
		return c.Config, config.UsageError{Err: err}
	}
	return c.Config, nil
}

func (a *cli) generateCommand() *cobra.Command {
	var flags cloudFlags
	cmd := &cobra.Command{
		Use:   "generate",
		Short: "Write the months of a made-up cloud as a scenario file to stdout",
		Long: `generate writes events as lines of a scenario file: servers, volumes, storage projects
and bandwidth, resized, suspended and deleted, under coupons and discounts, out of
order, with duplicates, conflicts and poison; a seal after each month.`,
		Example: "  reckon generate --seed 7 --month 2026-10 > october.jsonl\n  reckon replay october.jsonl > october.csv",
		Args:    noArgs(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, _, err := a.settings()
			if err != nil {
				return err
			}
			cloud, err := flags.config(a.now(), cfg.Billing.Location)
			if err != nil {
				return err
			}
			return a.generate(cmd.Context(), cloud)
		},
	}
	flags.register(cmd.Flags(), 20, 200, 20_000)
	return cmd
}

func (a *cli) generate(ctx context.Context, cloud generate.Config) error {
	g, err := generate.New(cloud)
	if err != nil {
		return config.UsageError{Err: err}
	}
	out := bufio.NewWriterSize(a.stdout, 1<<20)
	for l := range g.Lines() {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if _, err := out.Write(append(l.Bytes, '\n')); err != nil {
			return fmt.Errorf("write the scenario: %w", err)
		}
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("write the scenario: %w", err)
	}
	t := g.Truth()
	a.tell("%d lines: %d events, %d duplicates, %d conflicts, %d poison\n", t.Lines, t.Stored, t.Duplicate, t.Conflicting, t.Rejected)
	return nil
}
