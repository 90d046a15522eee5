package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/reckon-billing/reckon/ingest"
	"github.com/reckon-billing/reckon/internal/config"
	"github.com/reckon-billing/reckon/internal/generate"
	"github.com/reckon-billing/reckon/internal/oracle"
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
	cmd.Flags().StringVar(&d.folder, "data-dir", "reckon-demo", "where to keep the demo's data; an earlier demo there is replaced")
	return cmd
}

// demoRun is one run of the demo.
type demoRun struct {
	*cli
	cloud  cloudFlags
	folder string

	book  *simulate.Book
	truth generate.Truth
	began time.Time
	// seals are the months sealed, and proof what was checked.
	seals []schemas.Month
	proof struct{ lines, invoices int }
	// shown is the code of the invoice to print.
	shown      string
	withCoupon bool
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
	if err := emptyDemoFolder(d.folder); err != nil {
		return err
	}
	d.began = d.now()
	last := cloud.First
	for range cloud.Months - 1 {
		last = last.Next()
	}
	// The demo's clock stands at the moment when the last month is due.
	clock := last.End(cfg.Billing.Location).Add(cfg.Billing.Grace)
	limits := ingest.Limits{Rows: cfg.Ingest.BatchRows, Bytes: int(cfg.Ingest.BatchBytes), Age: scratchBatchAge}
	d.say("starting Kafka and ClickHouse in %s", d.folder)
	s, err := d.startOn(ctx, 0, d.folder, cfg, quiet(log, cfg), clock, cloud.First, limits)
	if err != nil {
		return err
	}
	d.book = simulate.NewBook(cfg.Billing.Location, s.Currency(), cloud.First)
	err = s.WithIngest(ctx, func(ctx context.Context) error { return d.play(ctx, s, g, cfg) })
	return errors.Join(err, s.Close())
}

// demoMark is the file that says that a folder is a demo's, to be replaced.
const demoMark = "made-by-reckon-demo"

func emptyDemoFolder(folder string) error {
	entries, err := os.ReadDir(folder)
	switch {
	case errors.Is(err, os.ErrNotExist):
	case err != nil:
		return usagef("--data-dir: %w", err)
	case len(entries) > 0:
		if _, err := os.Stat(filepath.Join(folder, demoMark)); err != nil {
			return usagef("--data-dir %s: the folder is not empty and no demo made it: name another", folder)
		}
		if err := os.RemoveAll(folder); err != nil {
			return fmt.Errorf("remove the earlier demo: %w", err)
		}
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return fmt.Errorf("make the demo's folder: %w", err)
	}
	if err := os.WriteFile(filepath.Join(folder, demoMark), nil, 0o600); err != nil {
		return fmt.Errorf("mark the demo's folder: %w", err)
	}
	return nil
}

func (d *demoRun) say(format string, args ...any) {
	d.printf("%6.1fs  %s\n", d.now().Sub(d.began).Seconds(), fmt.Sprintf(format, args...))
}

// play sends the events, seals, proves and shows.
func (d *demoRun) play(ctx context.Context, s *scratch, g *generate.Generator, cfg config.Config) error {
	if err := d.send(ctx, s, g); err != nil {
		return err
	}
	d.truth = g.Truth()
	counts, err := s.finish(ctx)
	if err != nil {
		return err
	}
	if err := d.prove(ctx, s, counts); err != nil {
		return err
	}
	header, lines, err := d.invoice(ctx, s)
	if err != nil {
		return err
	}
	d.printf("\n")
	if err := report.Invoice(d.stdout, header, lines, cfg.Billing.Location, s.Currency()); err != nil {
		return err
	}
	d.next()
	return nil
}

// send moves the lines to Kafka and seals where the scenario says so.
func (d *demoRun) send(ctx context.Context, s *scratch, g *generate.Generator) error {
	progress, sent := report.NewProgress(d.stdout, d.now), 0
	defer progress.Clear()
	for l := range g.Lines() {
		d.book.Add(&l)
		if l.Kind == generate.Seal {
			progress.Clear()
			if err := d.seal(ctx, s, l.Month, sent); err != nil {
				return err
			}
			continue
		}
		sent++
		if err := s.add(ctx, &scenarioLine{at: origin{line: sent}, value: l.Bytes}); err != nil {
			return err
		}
		if progress.Due(time.Second) {
			progress.Show(0, 0, fmt.Sprintf("sent %d events, %d stored", sent, s.stored.Load()), func(text string) { d.say("%s", text) })
		}
	}
	return nil
}

func (d *demoRun) seal(ctx context.Context, s *scratch, month schemas.Month, sent int) error {
	if err := s.flush(ctx); err != nil {
		return err
	}
	if _, err := s.seals.NoteCutoff(ctx); err != nil {
		return err
	}
	d.say("%d events sent and stored, %d of them rejected to the dead letters", sent, len(s.rejected()))
	stored := d.now()
	seals, err := s.sealed(ctx, month)
	if err != nil {
		return err
	}
	for _, seal := range seals {
		d.say("sealed %s: %d invoices, %d adjustments, %d lines, total %s %s, in %.1f s", seal.Month, seal.Totals.Invoices,
			seal.Totals.Adjustments, seal.Totals.Lines, s.Currency().Format(seal.Totals.Amounts.TotalAmount), s.Currency().Code,
			d.now().Sub(stored).Seconds())
	}
	d.seals = append(d.seals, month)
	return nil
}

// prove recomputes every line that the seals issued.
func (d *demoRun) prove(ctx context.Context, s *scratch, got replayCounts) error {
	var all []schemas.Line
	for _, month := range d.seals {
		want, err := d.book.Invoiced(month)
		if err != nil {
			return err
		}
		var lines []schemas.Line
		codes := map[string]bool{}
		err = s.Store.UsageReport(ctx, month, "", func(r schemas.ReportRow) error {
			all = append(all, r.Line)
			if r.Kind == schemas.KindInvoice {
				lines = append(lines, r.Line)
				codes[r.InvoiceCode] = true
				d.choose(r)
			}
			return nil
		})
		if err != nil {
			return err
		}
		if diff := oracle.Diff(want.Lines, lines); len(diff) > 0 {
			return fmt.Errorf("the second calculator disagrees in %d places, first: %s", len(diff), diff[0])
		}
		d.proof.lines += len(lines)
		d.proof.invoices += len(codes)
	}
	settled := d.book.Settled()
	if diff := oracle.DiffSums(settled.Lines, all); len(diff) > 0 {
		return fmt.Errorf("invoices and adjustments do not add up in %d places, first: %s", len(diff), diff[0])
	}
	want := replayCounts{
		Stored: d.truth.Stored, Duplicate: d.truth.Duplicate, Conflicting: d.truth.Conflicting, Rejected: d.truth.Rejected,
		Anomalous: settled.Anomalous(),
	}
	if got != want {
		return fmt.Errorf("counted %+v, but the generator made %+v", got, want)
	}
	d.say("proven: %d lines of %d invoices recomputed to the last minor unit", d.proof.lines, d.proof.invoices)
	if adjusted := len(all) - d.proof.lines; adjusted > 0 {
		d.say("proven: with %d lines of adjustments they add up to what all events price to, late ones included", adjusted)
	}
	d.say("proven: %d events = %d stored + %d duplicate + %d conflicting + %d rejected; %d anomalies listed", d.truth.Lines,
		got.Stored, got.Duplicate, got.Conflicting, got.Rejected, got.Anomalous)
	return nil
}

// choose picks the invoice to show: the first under a coupon, else the first.
func (d *demoRun) choose(r schemas.ReportRow) {
	coupon := r.CouponValue.IsPositive()
	if d.shown == "" || (coupon && !d.withCoupon) {
		d.shown, d.withCoupon = r.InvoiceCode, coupon
	}
}

func (d *demoRun) invoice(ctx context.Context, s *scratch) (schemas.Invoice, []schemas.Line, error) {
	header, rows, err := s.Store.Invoice(ctx, d.shown)
	if err != nil {
		return header, nil, fmt.Errorf("read invoice %s: %w", d.shown, err)
	}
	lines := make([]schemas.Line, len(rows))
	for i := range rows {
		lines[i] = rows[i].Line
	}
	return header, lines, nil
}

func (d *demoRun) next() {
	d.printf(`
What to try next:
  RECKON_DATA_DIR=%[1]s reckon report usage --month %[2]s | less -S
  RECKON_DATA_DIR=%[1]s reckon report usage --month %[2]s --format csv > usage.csv
  RECKON_DATA_DIR=%[1]s reckon up      (and ask ClickHouse over HTTP: see the README)
  reckon demo --seed 2 --resources 2000 --usage 500000
  reckon --help
`, d.folder, d.seals[0])
}
