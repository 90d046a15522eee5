package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/reckon-billing/reckon/internal/app"
	"github.com/reckon-billing/reckon/internal/audit"
)

func (a *cli) explainCommand() *cobra.Command {
	var format string
	var all bool
	cmd := &cobra.Command{
		Use:   "explain INVOICE",
		Short: "Explain each line of an invoice or adjustment: its events, its usage, its formula",
		Long: `explain prints, for each line, the events that opened and closed its period with where
they lie in Kafka; the usage that was counted; the free allowance and the coupon that
were taken; and the formula with its numbers filled in and its exact result. Of an
adjustment also which invoice had the line that a row takes back, and the late events.`,
		Example: "  reckon explain INV-2026-10-0123456789ABCDEFGHJK\n  reckon explain ADJ-2026-10-0123456789ABCDEFGHJK --all --format json",
		Args:    usageArgs(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			if format != "text" && format != "json" {
				return usagef("--format %q: choose text or json", format)
			}
			return a.onStore(cmd.Context(), func(ctx context.Context, s *app.App) error {
				x, err := s.Auditor().Explain(ctx, args[0], all)
				if errors.Is(err, audit.ErrNotFound) {
					return fmt.Errorf("there is no invoice %q", args[0])
				}
				if err != nil {
					return err
				}
				if format == "json" {
					out := json.NewEncoder(a.stdout)
					out.SetIndent("", "  ")
					out.SetEscapeHTML(false)
					return out.Encode(x)
				}
				a.printExplanation(x)
				return nil
			})
		},
	}
	cmd.Flags().StringVar(&format, "format", "text", "text or json")
	cmd.Flags().BoolVar(&all, "all", false, "list every usage event, however many")
	return cmd
}
