package audit

import (
	"context"
	"errors"
	"fmt"

	"github.com/reckon-billing/reckon/invoicer"
	"github.com/reckon-billing/reckon/schemas"
	"github.com/reckon-billing/reckon/schemas/tables"
)

// Proof is what was checked of a sealed month, and what is not as its events say.
type Proof struct {
	Month schemas.Month
	// Run is the newest run that was carried out; all before its cutoff was checked.
	Run schemas.Run

	// Found are the differences, each a sentence that names the invoice, line and
	// column with what is stored and what is derived. There are More than are told.
	Found []string
	More  bool
	// RunsDiffer tells that they are all of the run log: nothing else was compared, as
	// all rests on it.
	RunsDiffer bool

	// Issued counts the month's invoices and adjustments, Hashes are those of its
	// runs.
	Issued invoicer.Totals
	Hashes []schemas.RunHash
	// Accounts have lived Minutes together.
	Accounts int64
	Minutes  schemas.ItemMinutes
	Messages MessageCounts
	// Gaps are messages before the cutoff that were gone before they were read.
	Gaps []schemas.LogNote
	Kept KeptCounts
}

// KeptCounts is what was compared of what the month's runs kept beside its invoices.
type KeptCounts struct{ Runs, Periods, Snapshots, Anomalies int64 }

// MessageCounts is where the messages before a cutoff are.
type MessageCounts struct {
	// Read are those that Kafka has; Copies and Rejected are those stored, of which
	// Older lie before what Kafka still has, or all where it was not read: they were
	// compared with their own bytes. Former were judged by an older version, whose
	// rules took or rejected them otherwise: of them the bytes were compared alone.
	Read, Copies, Rejected, Older, Former int64
}

// Verify derives a sealed month again from its events and compares it with its
// invoices to the minor unit; checks their hashes and the item-minutes; and that
// every message that Kafka has before the cutoff is stored exactly once, with the
// columns that its bytes come to. SkipLog
// leaves Kafka unread: then it is not known whether messages were lost.
func (a *Auditor) Verify(ctx context.Context, month schemas.Month, skipLog bool) (*Proof, error) {
	p := &proof{
		Auditor: a, Proof: Proof{Month: month}, forms: tables.StoredForms(), runs: map[int64]int{}, room: mostDifferences,
	}
	if err := p.runLog(ctx); err != nil && !errors.Is(err, errEnough) {
		return nil, err
	}
	if len(p.Found) > 0 {
		p.RunsDiffer = true
		return &p.Proof, nil
	}
	if err := p.begin(ctx); err != nil {
		return nil, err
	}
	for _, part := range []func(context.Context) error{
		p.invoices, p.asSealed, p.hashes, p.conservation, p.unknownRuns, p.gaps, func(ctx context.Context) error { return p.messages(ctx, skipLog) },
	} {
		p.room = mostDifferences
		if err := part(ctx); err != nil && !errors.Is(err, errEnough) {
			return nil, err
		}
	}
	return &p.Proof, nil
}

// gaps names what an operator has accepted as gone: it is no difference, and is told for
// ever.
func (p *proof) gaps(ctx context.Context) error {
	gaps, err := p.Log.Gaps(ctx)
	for _, g := range gaps {
		if at := g.PartitionEnd; p.Run.Cutoff.Contains(schemas.Position{Log: at.Log, Topic: at.Topic, Partition: at.Partition, Offset: g.From}) {
			p.Gaps = append(p.Gaps, g)
		}
	}
	return err
}

// begin finds the last seal and what it rests on.
func (p *proof) begin(ctx context.Context) error {
	runs, err := p.RunLog.Runs(ctx)
	if err != nil {
		return err
	}
	seals, err := p.RunLog.Seals(ctx)
	if err != nil {
		return err
	}
	sealed := map[int64]invoicer.Seal{}
	for _, seal := range seals {
		sealed[seal.Run] = seal
	}
	var through schemas.Month
	for i, run := range runs {
		seal, done := sealed[run.Number]
		if !done {
			break // what is being sealed now is not proven
		}
		p.Run = run
		p.all, p.runs[run.Number] = runs[:i+1], i
		if through.Before(run.Month) {
			through = run.Month
		}
		for _, parked := range seal.Parked {
			p.except = append(p.except, parked.AccountID)
			_ = p.differ("account %q is parked by run %d, so its invoices are not all issued: %s", parked.AccountID, run.Number, parked.Reason)
		}
	}
	if len(p.all) == 0 || through.Before(p.Month) || p.Month.Before(p.Run.FirstMonth) {
		return fmt.Errorf("%s is not sealed: there is nothing to verify", p.Month)
	}
	return nil
}
