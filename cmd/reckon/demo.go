package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/reckon-billing/reckon/internal/app"
	"github.com/reckon-billing/reckon/internal/config"
	"github.com/reckon-billing/reckon/internal/embedded"
	"github.com/reckon-billing/reckon/internal/generate"
	"github.com/reckon-billing/reckon/internal/report"
	"github.com/reckon-billing/reckon/internal/simulate"
	"github.com/reckon-billing/reckon/schemas"
)

func (a *cli) demoCommand() *cobra.Command {
	d := demoRun{cli: a}
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "A month of a made-up cloud: from events on Kafka to invoices, proven line by line",
		Long: `demo starts the embedded Kafka and ClickHouse, sends a made-up month of events, lets
ingest store them, seals the month, and then proves it: every line is computed again
from what the generator meant, by a second calculator that shares no code with the
first. The data stays in the folder, to look around in.`,
		Example: "  reckon demo\n  reckon demo --resources 2000 --usage 500000 --months 3 --late 50",
		Args:    noArgs(),
		RunE:    func(cmd *cobra.Command, _ []string) error { return d.run(cmd.Context()) },
	}
	d.cloud.register(cmd.Flags(), 40, 400, 60_000)
	cmd.Flags().StringVar(&d.folder, "data-dir", demoFolder, "where to keep the demo's data; an earlier demo there is replaced")
	return cmd
}

// demoRun is one run of the demo.
type demoRun struct {
	*cli
	cloud  cloudFlags
	folder string
	began  time.Time
}

func (d *demoRun) run(ctx context.Context) error {
	cfg, log, err := d.settings()
	if err != nil {
		return err
	}
	cloud, err := d.cloud.config(d.now(), cfg.Billing.Location)
	if err != nil {
		return err
	}
	g, err := generate.New(cloud)
	if err != nil {
		return config.UsageError{Err: err}
	}
	if err := d.emptyFolder(ctx); err != nil {
		return err
	}
	d.began = d.now()
	last := cloud.First
	for range cloud.Months - 1 {
		last = last.Next()
	}
	d.say("starting Kafka and ClickHouse in %s", d.folder)
	s, err := simulate.Keep(ctx, d.folder, simulate.Options{
		Command: d.command, Config: cfg, Log: quiet(log, cfg), Now: d.now, First: cloud.First, BatchRows: cfg.Ingest.BatchRows,
		// The demo's clock stands at the moment when the last month is due.
		Clock: simulate.NewClock(last.End(cfg.Billing.Location).Add(cfg.Billing.Grace)),
	})
	if err != nil {
		return err
	}
	err = s.WithIngest(ctx, func(ctx context.Context) error { return d.play(ctx, s, g, cloud.First) })
	return errors.Join(err, s.Close())
}

// demoFolder is where the demo's data is unless somebody says otherwise.
const demoFolder = "reckon-demo"

// demoMark is the file that says that a folder is a demo's, to be replaced.
const demoMark = "made-by-reckon-demo"

// emptyFolder makes the folder, or removes the earlier demo that lies in it. One that
// is in use, or that no demo made, it leaves alone.
func (d *demoRun) emptyFolder(ctx context.Context) error {
	entries, err := os.ReadDir(d.folder)
	switch {
	case errors.Is(err, os.ErrNotExist):
	case err != nil:
		return usagef("--data-dir: %w", err)
	case len(entries) > 0:
		if _, err := os.Stat(filepath.Join(d.folder, demoMark)); err != nil {
			return usagef("--data-dir %s: the folder is not empty and no demo made it: name another", d.folder)
		}
		if err := embedded.Clear(ctx, d.folder, embedded.Holder{Command: d.command}, demoMark); err != nil {
			return fmt.Errorf("remove the earlier demo: %w", err)
		}
	}
	if err := os.MkdirAll(d.folder, 0o700); err != nil {
		return fmt.Errorf("make the demo's folder: %w", err)
	}
	if err := os.WriteFile(filepath.Join(d.folder, demoMark), nil, 0o600); err != nil {
		return fmt.Errorf("mark the demo's folder: %w", err)
	}
	return nil
}

func (d *demoRun) say(format string, args ...any) {
	d.printf("%6.1fs  %s\n", d.now().Sub(d.began).Seconds(), fmt.Sprintf(format, args...))
}

// play sends the events, seals, proves and shows.
func (d *demoRun) play(ctx context.Context, s *simulate.Stack, g *generate.Generator, first schemas.Month) error {
	progress := report.NewProgress(d.stdout, d.now)
	defer progress.Clear()
	var stored time.Time
	demo := simulate.Demo{
		Stack: s,
		Sent: func(events int) {
			if progress.Due(time.Second) {
				progress.Show(0, 0, fmt.Sprintf("sent %d events, %d stored", events, s.StoredSoFar()), func(text string) { d.say("%s", text) })
			}
		},
		Stored: func(events int) {
			progress.Clear()
			d.say("%d events sent and stored, %d of them rejected to the dead letters", events, len(s.Rejected()))
			stored = d.now()
		},
		Sealed: func(seals []app.Seal) {
			for _, seal := range seals {
				d.say("sealed %s: %d invoices, %d adjustments, %d lines, total %s %s, in %.1f s", seal.Month, seal.Totals.Invoices,
					seal.Totals.Adjustments, seal.Totals.Lines, s.Currency().Format(seal.Totals.Amounts.TotalAmount), s.Currency().Code,
					d.now().Sub(stored).Seconds())
			}
		},
	}
	proof, err := demo.Play(ctx, g, first)
	progress.Clear()
	if err != nil {
		return err
	}
	d.sayProof(proof)
	return d.show(ctx, s, proof)
}

func (d *demoRun) sayProof(p *simulate.DemoProof) {
	d.say("proven: %d lines of %d invoices recomputed to the last minor unit", p.Lines, p.Invoices)
	if p.Adjusted > 0 {
		d.say("proven: %d lines of adjustments recomputed likewise; with them all add up to what all events price to, late ones included", p.Adjusted)
	}
	d.say("proven: %d events = %d stored + %d duplicate + %d conflicting + %d rejected; %d anomalies listed", p.Truth.Lines,
		p.Counts.Stored, p.Counts.Duplicate, p.Counts.Conflicting, p.Counts.Rejected, p.Counts.Anomalous)
}

// show prints an invoice, and what to try next.
func (d *demoRun) show(ctx context.Context, s *simulate.Stack, p *simulate.DemoProof) error {
	header, rows, err := s.Store.Invoice(ctx, p.Shown)
	if err != nil {
		return fmt.Errorf("read invoice %s: %w", p.Shown, err)
	}
	lines := make([]schemas.Line, len(rows))
	for i := range rows {
		lines[i] = rows[i].Line
	}
	d.printf("\n")
	if err := report.Invoice(d.stdout, header, lines, s.Config.Billing.Location, s.Currency()); err != nil {
		return err
	}
	d.next(p.Months[0], p.Shown)
	return nil
}

// next prints commands that can be run as they stand, here and with the settings of
// this one.
func (d *demoRun) next(month schemas.Month, invoice string) {
	program := quoteForShell(d.program)
	if d.configFile != "" {
		program += " --config " + quoteForShell(d.configFile)
	}
	on := "RECKON_DATA_DIR=" + quoteForShell(d.folder) + " "
	for _, server := range []string{"RECKON_KAFKA_BROKERS", "RECKON_CLICKHOUSE_ADDRESSES"} {
		if slices.ContainsFunc(d.environ, func(v string) bool { return strings.HasPrefix(v, server+"=") }) {
			on += server + "= " // the demo's data is in its folder
		}
	}
	again := program + " demo"
	if d.folder != demoFolder {
		again += " --data-dir " + quoteForShell(d.folder)
	}
	d.printf(`
What to try next:
  %[1]s%[2]s report usage --month %[3]s | less -S
  %[1]s%[2]s report usage --month %[3]s --format csv > usage.csv
  %[1]s%[2]s explain %[4]s
  %[1]s%[2]s verify --month %[3]s
  %[1]s%[2]s up
While that runs, ask ClickHouse over HTTP, as the README shows. Once it is stopped:
  %[5]s --seed 2 --resources 500 --usage 100000
  %[2]s --help
`, on, program, month, invoice, again)
}

// quoteForShell is a word that a shell reads as it is.
func quoteForShell(word string) string {
	if word != "" && !regexp.MustCompile(`[^A-Za-z0-9_@%+=:,./-]`).MatchString(word) {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
