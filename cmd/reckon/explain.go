package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/reckon-billing/reckon/aggregate"
	"github.com/reckon-billing/reckon/internal/clickhouse"
	"github.com/reckon-billing/reckon/invoicer/rating"
	"github.com/reckon-billing/reckon/schemas"
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
adjustment also what was invoiced before, and the late events.`,
		Example: "  reckon explain INV-2026-10-0123456789ABCDEFGHJK\n  reckon explain ADJ-2026-10-0123456789ABCDEFGHJK --all --format json",
		Args:    usageArgs(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			if format != "text" && format != "json" {
				return usagef("--format %q: choose text or json", format)
			}
			return a.onStore(cmd.Context(), func(ctx context.Context, s *system) error {
				x, err := s.explain(ctx, args[0], all)
				if errors.Is(err, clickhouse.ErrNotFound) {
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

// explanation is one invoice explained. All numbers are exact decimals in text,
// all times in the billing zone.
type explanation struct {
	Invoice      string `json:"invoice"`
	Kind         string `json:"kind"`
	AccountID    string `json:"account_id"`
	ResourceID   string `json:"resource_id"`
	ResourceName string `json:"resource_name"`
	Month        string `json:"month"`
	Run          int64  `json:"run"`
	CreatedAt    string `json:"created_at"`
	Currency     string `json:"currency"`
	amountTexts
	// LateEvents counts the late events behind an adjustment, Late names the first.
	LateEvents int64             `json:"late_events,omitempty"`
	Late       []eventText       `json:"late,omitempty"`
	Lines      []lineExplanation `json:"lines"`
}

// amountTexts are four amounts.
type amountTexts struct {
	BeforeTax   string `json:"before_tax"`
	TaxAmount   string `json:"tax_amount"`
	CouponValue string `json:"coupon_value"`
	TotalAmount string `json:"total_amount"`
}

// eventText names an event and where it lies.
type eventText struct {
	Type      string `json:"type"`
	Source    string `json:"source"`
	ID        string `json:"id"`
	Time      string `json:"time"`
	Topic     string `json:"topic"`
	Partition int32  `json:"partition"`
	Offset    int64  `json:"offset"`
	// Value is that of usage.
	Value string `json:"value,omitempty"`
}

// lineExplanation is one line explained.
type lineExplanation struct {
	Item        string `json:"item"`
	Unit        string `json:"unit"`
	PeriodStart string `json:"period_start"`
	PeriodEnd   string `json:"period_end"`
	Minutes     int64  `json:"minutes"`
	// OpenedBy and ClosedBy bound the period; without ClosedBy it goes on past the
	// month.
	OpenedBy *eventText         `json:"opened_by,omitempty"`
	ClosedBy *eventText         `json:"closed_by,omitempty"`
	Usage    *usageExplanation  `json:"usage,omitempty"`
	Price    *priceExplanation  `json:"price,omitempty"`
	Coupon   *couponExplanation `json:"coupon,omitempty"`
	// Gone: the events no longer give this line; then the period is as it was
	// stored before, and there is no price.
	Gone bool `json:"gone,omitempty"`
	// Invoiced is what was invoiced for this line before, Now what it comes to; the
	// line's own amounts are the difference. Only of an adjustment.
	Invoiced []invoicedText `json:"invoiced,omitempty"`
	Now      *amountTexts   `json:"now,omitempty"`
	amountTexts
}

// invoicedText is what one invoice said of a line.
type invoicedText struct {
	Invoice string `json:"invoice"`
	amountTexts
}

// explain gathers the explanation of an invoice. What the run saw is derived
// again from the events before its cutoff, and must give the stored lines.
func (s *system) explain(ctx context.Context, code string, all bool) (*explanation, error) {
	h, rows, err := s.Store.Invoice(ctx, code)
	if err != nil {
		return nil, err
	}
	e := &explainer{
		system: s, header: h, all: all, one: s.Store.OneResource(h.AccountID, h.ResourceID),
		unmatched: map[schemas.Position]bool{}, before: map[schemas.LineKey][]schemas.ReportRow{},
	}
	if err := e.derive(ctx); err != nil {
		return nil, fmt.Errorf("explain %s: %w", code, err)
	}
	if h.Kind == schemas.KindAdjustment {
		err := e.one.Before(ctx, h.Month, h.Run, func(r schemas.ReportRow) error {
			e.before[sameLineOf(&r.Line)] = append(e.before[sameLineOf(&r.Line)], r)
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("explain %s: %w", code, err)
		}
	}
	x := &explanation{
		Invoice: h.Code, Kind: string(h.Kind), AccountID: h.AccountID, ResourceID: h.ResourceID, Month: h.Month.String(), Run: h.Run,
		CreatedAt: s.instant(h.CreatedAt), Currency: s.Currency().Code, amountTexts: s.amountTexts(h.Amounts), LateEvents: h.LateEvents,
	}
	for i := range h.Late {
		x.Late = append(x.Late, *s.eventText(&h.Late[i]))
	}
	for i := range rows {
		x.ResourceName = rows[i].ResourceName
		line, err := e.line(ctx, &rows[i].Line)
		if err != nil {
			return nil, fmt.Errorf("explain %s: line %s %q: %w", code, s.instant(rows[i].PeriodStart), rows[i].Item.Name, err)
		}
		x.Lines = append(x.Lines, *line)
	}
	return x, nil
}

// explainer holds what one resource comes to at the cutoff of an invoice's run.
type explainer struct {
	*system
	header schemas.Invoice
	all    bool
	one    clickhouse.OneResource
	run    schemas.Run
	// periods are those of the invoice's month, priced.
	periods []pricedPeriod
	// unmatched is the usage that no period meters.
	unmatched map[schemas.Position]bool
	// before is what was invoiced for each line by earlier runs.
	before map[schemas.LineKey][]schemas.ReportRow
}

// pricedPeriod is a period with its lines and what was used of its coupon before.
type pricedPeriod struct {
	schemas.Period
	lines []schemas.Line
	used  string
	left  string
}

// derive derives the resource as the invoice's run did.
func (e *explainer) derive(ctx context.Context) error {
	runs, err := e.Store.Runs(ctx)
	if err != nil {
		return err
	}
	at := -1
	for i := range runs {
		if runs[i].Number == e.header.Run {
			at = i
		}
	}
	if at < 0 {
		return fmt.Errorf("run %d, which issued it, is not there", e.header.Run)
	}
	e.run = runs[at]
	plan := schemas.Derivation{
		Run: e.run, Earlier: runs[:at], First: e.run.FirstMonth, Last: e.run.Month, New: true, FullHistory: true,
		Accounts: []string{e.header.AccountID},
	}
	d := &aggregate.Deriver{Source: e.one, Zone: e.Config.Billing.Location, Anomalies: func(a schemas.Anomaly) error {
		if a.Reason == schemas.UnmatchedUsage {
			e.unmatched[a.Event.Position] = true
		}
		return nil
	}}
	rater := rating.Rater{Currency: e.Currency()}
	return d.Derive(ctx, plan, func(r schemas.Derived) error {
		if r.Err != nil || r.ResourceID == "" {
			return r.Err
		}
		for i := range r.Periods {
			p := pricedPeriod{Period: r.Periods[i]}
			if b := p.Balance; b != nil {
				used := rater.Used(b)
				p.used, p.left = schemas.FormatDecimal(used), schemas.FormatDecimal(b.Value.Sub(used))
			}
			p.lines = rater.Lines(&p.Period)
			if p.Month == e.header.Month {
				e.periods = append(e.periods, p)
			}
		}
		return nil
	})
}

func (s *system) instant(t time.Time) string {
	return t.In(s.Config.Billing.Location).Format(time.RFC3339)
}

func (s *system) amountTexts(a schemas.Amounts) amountTexts {
	c := s.Currency()
	return amountTexts{c.Format(a.BeforeTax), c.Format(a.TaxAmount), c.Format(a.CouponValue), c.Format(a.TotalAmount)}
}

func (s *system) eventText(e *schemas.EventRef) *eventText {
	if e == nil {
		return nil
	}
	return &eventText{
		Type: string(e.Type), Source: e.Source, ID: e.ID, Time: s.stamp(e.Time),
		Topic: e.Position.Topic, Partition: e.Position.Partition, Offset: e.Position.Offset,
	}
}
