package audit

import (
	"context"
	"fmt"
	"time"

	"github.com/reckon-billing/reckon/aggregate"
	"github.com/reckon-billing/reckon/invoicer/rating"
	"github.com/reckon-billing/reckon/invoicer/settle"
	"github.com/reckon-billing/reckon/schemas"
)

// Explanation is one invoice explained. All numbers are exact decimals in text,
// all times in the billing zone.
type Explanation struct {
	Invoice      string `json:"invoice"`
	Kind         string `json:"kind"`
	AccountID    string `json:"account_id"`
	ResourceID   string `json:"resource_id"`
	ResourceName string `json:"resource_name"`
	Month        string `json:"month"`
	Run          int64  `json:"run"`
	CreatedAt    string `json:"created_at"`
	Currency     string `json:"currency"`
	AmountTexts
	// LateEvents counts the late events behind an adjustment, Late names the first.
	LateEvents int64             `json:"late_events,omitempty"`
	Late       []EventText       `json:"late,omitempty"`
	Lines      []LineExplanation `json:"lines"`
}

// AmountTexts are four amounts.
type AmountTexts struct {
	BeforeTax   string `json:"before_tax"`
	TaxAmount   string `json:"tax_amount"`
	CouponValue string `json:"coupon_value"`
	TotalAmount string `json:"total_amount"`
}

// EventText names an event and where it lies.
type EventText struct {
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

// LineExplanation is one line explained.
type LineExplanation struct {
	Item        string `json:"item"`
	Unit        string `json:"unit"`
	PeriodStart string `json:"period_start"`
	PeriodEnd   string `json:"period_end"`
	Minutes     int64  `json:"minutes"`
	// OpenedBy and ClosedBy bound the period; without ClosedBy it goes on past the
	// month.
	OpenedBy *EventText         `json:"opened_by,omitempty"`
	ClosedBy *EventText         `json:"closed_by,omitempty"`
	Usage    *UsageExplanation  `json:"usage,omitempty"`
	Price    *PriceExplanation  `json:"price,omitempty"`
	Coupon   *CouponExplanation `json:"coupon,omitempty"`
	// TakesBack is the invoice that had this line last. The row takes it back: it is
	// explained as it was there, and its own amounts have the sign turned.
	TakesBack string `json:"takes_back,omitempty"`
	// Gone: the events no longer give this line.
	Gone bool `json:"gone,omitempty"`
	// Invoiced is what was invoiced for this line so far, where an older version
	// invoiced differences: a row takes back the sum of them. In such a version's own
	// adjustment the amounts are what the line comes to, Now, less that; of a line that
	// is gone the period is as it was stored before, and there is no price.
	Invoiced []InvoicedText `json:"invoiced,omitempty"`
	Now      *AmountTexts   `json:"now,omitempty"`
	AmountTexts
}

// InvoicedText is what one invoice said of a line.
type InvoicedText struct {
	Invoice string `json:"invoice"`
	AmountTexts
}

// Explain explains an invoice line by line. What its run saw is derived again from
// the events before its cutoff, and must give the stored lines. All lists every
// usage event, however many.
func (a *Auditor) Explain(ctx context.Context, code string, all bool) (*Explanation, error) {
	h, rows, err := a.Invoices.Invoice(ctx, code)
	if err != nil {
		return nil, err
	}
	e := &explainer{
		Auditor: a, header: h, all: all, one: a.Resources.OneResource(h.AccountID, h.ResourceID),
		before: map[schemas.LineKey]*invoicedSoFar{}, pasts: map[int64]*explainer{},
	}
	if err := e.derive(ctx); err != nil {
		return nil, fmt.Errorf("explain %s: %w", code, err)
	}
	if h.Kind == schemas.KindAdjustment {
		err := e.one.Before(ctx, h.Month, h.Run, func(r schemas.ReportRow) error {
			e.soFar(&r.Line).take(&r.Line)
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("explain %s: %w", code, err)
		}
	}
	x := &Explanation{
		Invoice: h.Code, Kind: string(h.Kind), AccountID: h.AccountID, ResourceID: h.ResourceID, Month: h.Month.String(), Run: h.Run,
		CreatedAt: a.instant(h.CreatedAt), Currency: a.Currency.Code, AmountTexts: a.amountTexts(h.Amounts), LateEvents: h.LateEvents,
	}
	for i := range h.Late {
		x.Late = append(x.Late, *a.eventText(&h.Late[i]))
	}
	for i := range rows {
		x.ResourceName = rows[i].ResourceName
		line, err := e.line(ctx, &rows[i].Line)
		if err != nil {
			return nil, fmt.Errorf("explain %s: line %s %q: %w", code, a.instant(rows[i].PeriodStart), rows[i].Item.Name, err)
		}
		x.Lines = append(x.Lines, *line)
	}
	return x, nil
}

// explainer holds what one resource comes to at the cutoff of an invoice's run.
type explainer struct {
	*Auditor
	header schemas.Invoice
	all    bool
	one    Resource
	run    schemas.Run
	// periods are those of the invoice's month, priced.
	periods []pricedPeriod
	// unmatched is the usage that no period meters.
	unmatched map[schemas.Position]bool
	// before is what was invoiced for each line so far: by earlier runs, and by the rows
	// of the invoice that are explained already. Only of an adjustment.
	before map[schemas.LineKey]*invoicedSoFar
	// pasts explain what earlier runs saw, by their numbers.
	pasts map[int64]*explainer
}

// invoicedSoFar is how a line stands, and the rows of it since it was last taken back.
type invoicedSoFar struct {
	settle.Standing
	rows []schemas.Line
}

func (s *invoicedSoFar) take(row *schemas.Line) {
	if s.Take(row); !s.Invoiced {
		s.rows = nil
		return
	}
	s.rows = append(s.rows, *row)
}

func (e *explainer) soFar(l *schemas.Line) *invoicedSoFar {
	s := e.before[sameLineOf(l)]
	if s == nil {
		s = &invoicedSoFar{}
		e.before[sameLineOf(l)] = s
	}
	return s
}

// asOf explains what an earlier run saw of the same resource and month.
func (e *explainer) asOf(ctx context.Context, run int64) (*explainer, error) {
	if past := e.pasts[run]; past != nil {
		return past, nil
	}
	past := &explainer{Auditor: e.Auditor, header: e.header, all: e.all, one: e.one}
	past.header.Run = run
	e.pasts[run] = past
	return past, past.derive(ctx)
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
	runs, err := e.RunLog.Runs(ctx)
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
	e.run, e.unmatched = runs[at], map[schemas.Position]bool{}
	plan := schemas.Derivation{
		Run: e.run, Earlier: runs[:at], First: e.run.FirstMonth, Last: e.run.Month, New: true, FullHistory: true,
		Accounts: []string{e.header.AccountID},
		Anomalies: func(a schemas.Anomaly) error {
			if a.Reason == schemas.UnmatchedUsage {
				e.unmatched[a.Event.Position] = true
			}
			return nil
		},
	}
	d := &aggregate.Deriver{Source: e.one, Zone: e.Zone, NameLevels: true}
	rater := rating.Rater{Currency: e.Currency}
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

func (a *Auditor) instant(t time.Time) string { return t.In(a.Zone).Format(time.RFC3339) }

// Stamp writes an instant to the millisecond in a zone; "" for none.
func Stamp(t time.Time, zone *time.Location) string {
	if t.IsZero() {
		return ""
	}
	return t.In(zone).Format("2006-01-02T15:04:05.000-07:00")
}

func (a *Auditor) amountTexts(of schemas.Amounts) AmountTexts {
	c := a.Currency
	return AmountTexts{c.Format(of.BeforeTax), c.Format(of.TaxAmount), c.Format(of.CouponValue), c.Format(of.TotalAmount)}
}

func (a *Auditor) eventText(e *schemas.EventRef) *EventText {
	if e == nil {
		return nil
	}
	return &EventText{
		Type: string(e.Type), Source: e.Source, ID: e.ID, Time: Stamp(e.Time, a.Zone),
		Topic: e.Position.Topic, Partition: e.Position.Partition, Offset: e.Position.Offset,
	}
}
