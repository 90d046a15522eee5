package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/reckon-billing/reckon/internal/app"
	"github.com/reckon-billing/reckon/internal/report"
	"github.com/reckon-billing/reckon/schemas"
)

func (a *cli) reportCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "report",
		Short: "Print what was invoiced",
		Args:  noArgs(),
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(a.usageReportCommand())
	return cmd
}

func (a *cli) usageReportCommand() *cobra.Command {
	var month, account, format string
	var forSpreadsheets bool
	cmd := &cobra.Command{
		Use:   "usage --month YYYY-MM",
		Short: "One row a line of a sealed month, its adjustments included",
		Long: `usage prints the usage report of a month: one row for each line invoiced, ordered by
account, resource, period start and item. Times are in the billing zone. CSV and JSON
carry every column; the table is for looking.

CSV is for programs, byte for byte. --for-spreadsheets is for people who open it: text
that a spreadsheet would run as a formula is written as text, behind an apostrophe, and
a mark at the begin says that it is UTF-8.

Finance finds the same rows in ClickHouse, in the view usage_report.`,
		Example: "  reckon report usage --month 2026-10\n  reckon report usage --month 2026-10 --account acme --format csv > acme.csv\n" +
			"  reckon report usage --month 2026-10 --format csv --for-spreadsheets > october.csv",
		Args: noArgs(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			m, err := monthFlag(month)
			if err != nil {
				return err
			}
			f, err := formatFlag(format)
			if err != nil {
				return err
			}
			if forSpreadsheets && f != report.CSV {
				return usagef("--for-spreadsheets is a way to write CSV: add --format csv")
			}
			return a.onStore(cmd.Context(), func(ctx context.Context, s *app.App) error {
				o := reportOptions(s)
				o.ForSpreadsheets = forSpreadsheets
				return a.reportUsage(ctx, s, m, account, report.NewWriter(a.stdout, f, o))
			})
		},
	}
	cmd.Flags().StringVar(&month, "month", "", "the month, as 2026-10 (needed)")
	cmd.Flags().StringVar(&account, "account", "", "only this account's rows")
	cmd.Flags().StringVar(&format, "format", string(report.Table), "table, csv or json")
	cmd.Flags().BoolVar(&forSpreadsheets, "for-spreadsheets", false, "of csv: as a spreadsheet opens it, with no text run as a formula")
	return cmd
}

func formatFlag(value string) (report.Format, error) {
	f, err := report.ParseFormat(value)
	if err != nil {
		return f, usagef("--format: %w", err)
	}
	return f, nil
}

func (a *cli) reportUsage(ctx context.Context, s *app.App, month schemas.Month, account string, out report.Writer) error {
	sealed, err := s.Store.SealedMonths(ctx)
	if err != nil {
		return err
	}
	if !slices.Contains(sealed, month) {
		return fmt.Errorf("%s is not sealed", month)
	}
	if err := hasAccount(ctx, s, account); err != nil {
		return err
	}
	if err := s.Store.UsageReport(ctx, month, account, func(r schemas.ReportRow) error { return out.Write(&r) }); err != nil {
		return err
	}
	return out.Close()
}

func reportOptions(s *app.App) report.Options {
	return report.Options{Zone: s.Config.Billing.Location, Currency: s.Currency()}
}
