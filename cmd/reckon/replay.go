package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/reckon-billing/reckon/internal/report"
	"github.com/reckon-billing/reckon/internal/simulate"
	"github.com/reckon-billing/reckon/schemas"
	"github.com/reckon-billing/reckon/schemas/codec"
)

func (a *cli) replayCommand() *cobra.Command {
	var r replay
	var now string
	cmd := &cobra.Command{
		Use:   "replay FILE...",
		Short: "Run scenario files on a scratch stack and print the usage report of every sealed month",
		Long: `replay starts the embedded Kafka and ClickHouse in a scratch folder, produces the
lines of the files in order, lets ingest store them, seals a month at each line
like {"seal":"2026-10"}, and prints what was issued as CSV to stdout. Lines that
ingest rejects are listed on stderr, whose last line is JSON with the counts.

Two runs over the same files print the same bytes.`,
		Example: `  reckon generate --seed 7 --month 2026-10 > october.jsonl
  reckon replay october.jsonl > october.csv
  reckon replay --batch 3 --now 2026-11-01T00:00:00+07:00 october.jsonl late.jsonl`,
		Args: someArgs(),
		RunE: func(cmd *cobra.Command, files []string) error {
			if r.batch < 1 {
				return usagef("--batch %d: a batch has at least 1 event", r.batch)
			}
			if now != "" {
				at, err := codec.ParseTime(now)
				if err != nil {
					return usagef("--now: %w", err)
				}
				r.now = at
			}
			r.cli = a
			return r.run(cmd.Context(), files)
		},
	}
	cmd.Flags().IntVar(&r.batch, "batch", math.MaxInt32, "cut ingest batches at this many events; changes no byte of stdout")
	cmd.Flags().StringVar(&now, "now", "", "the replay's clock, RFC 3339 (default: the newest event or the end of the last sealed month, whichever is later)")
	return cmd
}

// replay is one run over scenario files (contract 7).
type replay struct {
	*cli
	batch int
	now   time.Time
}

func (r *replay) run(ctx context.Context, names []string) error {
	cfg, log, err := r.settings()
	if err != nil {
		return err
	}
	spool, err := os.MkdirTemp("", "reckon-replay-")
	if err != nil {
		return fmt.Errorf("make a folder for what can be read only once: %w", err)
	}
	defer func() { _ = os.RemoveAll(spool) }() // the system clears its folder in time
	files, err := simulate.OpenScenario(ctx, names, spool)
	if err != nil {
		return err
	}
	facts, err := files.Survey(ctx, codec.Parser{Currency: schemas.Currency{Code: cfg.Billing.Currency, Digits: cfg.Billing.MinorDigits}})
	if err != nil {
		return err
	}
	for _, doubt := range facts.Doubts {
		r.tellLine(doubt)
	}
	if r.now.IsZero() {
		r.now = facts.Clock(cfg.Billing.Location)
	}
	s, err := simulate.Scratch(ctx, simulate.Options{
		Command: r.command, Config: cfg, Log: quiet(log, cfg), Now: r.cli.now, Clock: simulate.NewClock(r.now), First: facts.First, BatchRows: r.batch,
	})
	if err != nil {
		return err
	}
	err = s.WithIngest(ctx, func(ctx context.Context) error { return r.play(ctx, s, names, files) })
	return errors.Join(err, s.Close())
}

// play replays the files, and says what was rejected and what became of all.
func (r *replay) play(ctx context.Context, s *simulate.Stack, names []string, files simulate.Scenario) error {
	counts, err := s.Replay(ctx, files, report.NewWriter(r.stdout, report.CSV, reportOptions(s.App)))
	if err != nil {
		return err
	}
	for _, rejected := range s.Rejected() {
		r.tell("%s:%d: rejected: %s\n", names[rejected.File], rejected.Line, rejected.Why)
	}
	line, err := json.Marshal(counts)
	if err != nil {
		return fmt.Errorf("write the counts: %w", err)
	}
	r.tell("%s\n", line)
	return nil
}
