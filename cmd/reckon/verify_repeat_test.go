package main

import (
	"context"
	"errors"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/reckon-billing/reckon/internal/simulate"
)

// proofs is everything that proves what was sealed.
func (w *town) proofs(t *testing.T) string {
	t.Helper()
	var all string
	for _, table := range []string{"invoice_hashes", "month_hashes", "item_minutes", "run_anomalies", "told_runs"} {
		all += w.text(t, "SELECT concat('%s\n', arrayStringConcat(arraySort(groupArray(toString(tuple(*)))), '\n'), '\n') FROM (SELECT * FROM %s FINAL)", table, table)
	}
	return all
}

// F1, F2: a run that breaks off anywhere and is carried out again, or by two at
// once, stores the same hashes, item-minutes and anomalies, each once.
func TestARunThatIsRepeatedOrDoubledStoresTheSameProofs(t *testing.T) {
	calm, shaken := startTown(t, newYear(), november()), startTown(t, newYear(), november())
	lines := scenarioLines(t, "late")
	calm.play(t, lines...)
	want := calm.proofs(t)

	broke := 0
	for i, line := range lines {
		month, err := simulate.Directive([]byte(line))
		if err != nil {
			t.Fatal(err)
		}
		if month.IsZero() {
			shaken.play(t, line)
			continue
		}
		for n := 1; n <= 12; n++ {
			b := &breaking{Store: shaken.Store, breaks: func(step int, _ string) failure {
				if step != n {
					return never
				}
				return before + failure(i+n)%2
			}}
			v := *shaken.Seals.Invoicer
			v.Invoices, v.RunLog, v.Late = b, b, b
			err := shaken.WithIngest(t.Context(), func(ctx context.Context) error {
				_, err := v.Seal(ctx, month)
				return err
			})
			switch {
			case errors.Is(err, errBroke):
				broke++
			case err != nil:
				t.Fatal(err)
			}
		}
		err = shaken.WithIngest(t.Context(), func(ctx context.Context) error {
			g, ctx := errgroup.WithContext(ctx)
			for range 2 {
				v := *shaken.Seals.Invoicer
				g.Go(func() error {
					_, err := v.Seal(ctx, month)
					return err
				})
			}
			return g.Wait()
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if broke < 12 {
		t.Errorf("only %d seals broke off", broke)
	}
	sameText(t, shaken.proofs(t), want)
	for _, month := range []string{"2026-11", "2026-12"} {
		if got := shaken.command(t, "", "verify", "--month", month); got.code != 0 {
			t.Errorf("%s: verify ended with %d:\n%s%s", month, got.code, got.stdout, got.stderr)
		}
	}
}
