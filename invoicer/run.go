package invoicer

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/reckon-billing/reckon/schemas"
)

// carryOut does what a run was recorded for: all of it, or only the given accounts,
// which an earlier attempt parked. It writes in this order, and each step is stored
// before the next begins:
//
//   - which resources late events touch;
//   - batch by batch what it issues: anomalies, periods, lines and snapshots, then what
//     proves the invoices, then their headers, by which they exist; before the batch what
//     a broken attempt left of its accounts and this one does not write goes;
//   - what proves the invoices of wide accounts, and their headers (wide.go);
//   - that all anomalies are told;
//   - the seal.
//
// Everything follows from the run as it is stored, so doing it again writes the same.
func (v *Invoicer) carryOut(ctx context.Context, b *books, run schemas.Run, only []string) (Seal, error) {
	d := b.derivation(run, only)
	strays := v.findStrays(ctx, d)
	defer strays.stop()
	if err := v.markTouched(ctx, &d); err != nil {
		return Seal{}, err
	}
	issued, err := v.issue(ctx, d, strays)
	if err != nil {
		return Seal{}, fmt.Errorf("run %d of %s: %w", run.Number, run.Month, err)
	}
	if only == nil {
		if err := v.Invoices.Tell(ctx, run.Number); err != nil {
			return Seal{}, fmt.Errorf("run %d: write down that its anomalies are told: %w", run.Number, err)
		}
	}
	return v.addSeal(ctx, b, run, issued)
}

// recordRun writes down what the run may look at, before anything is derived. Of two
// that record one at once the first has the number, and the other is told that the
// run is not its own; where a run of another kind has it, the next number is tried.
func (v *Invoicer) recordRun(ctx context.Context, b *books, month schemas.Month, n noted) (ours bool, err error) {
	if err := refuseShorter(b.runs, n.cutoff); err != nil {
		return false, err
	}
	run := schemas.Run{
		Kind: schemas.KindSeal, Month: month, CreatedAt: n.at, Cutoff: n.cutoff, SettleAll: n.settleAll,
		FirstMonth: b.first(v.FirstMonth, month), Currency: v.Currency.Code, Zone: v.Zone.String(),
	}
	next := b.nextNumber
	for {
		run.Number = next
		stored, err := v.RunLog.AddRun(ctx, run)
		if err != nil {
			return false, fmt.Errorf("write down run %d of %s: %w", run.Number, month, err)
		}
		if stored.Kind == schemas.KindSeal {
			return stored.Equal(run), nil
		}
		after, runs, err := v.readRuns(ctx)
		if err != nil {
			return false, err
		}
		if len(runs) > 0 && runs[len(runs)-1].Number > b.newest() {
			return false, nil // somebody recorded a seal below the number that was tried
		}
		next = max(after, next+1)
	}
}

// markTouched marks what late events touch of the months that earlier runs sealed. For a
// run that settles all, every event is late.
func (v *Invoicer) markTouched(ctx context.Context, d *schemas.Derivation) error {
	d.Untouched = true
	if len(d.Earlier) == 0 {
		return nil
	}
	since := d.Since()
	if d.Run.SettleAll {
		since = nil
	}
	touched, err := v.Late.MarkTouched(ctx, d.Run, since, LastMonth(d.Earlier).End(v.Zone))
	if err != nil {
		return fmt.Errorf("run %d: find what late events touch: %w", d.Run.Number, err)
	}
	d.Untouched = touched == 0
	return nil
}

// issue derives, prices and writes, at first as if no copies were stray. Where nothing
// is to be derived, nobody has to know whether any do.
func (v *Invoicer) issue(ctx context.Context, d schemas.Derivation, strays *search) (*writer, error) {
	d.AssumeNoStrays = d.New || !d.Untouched
	w, err := v.derive(ctx, d, strays)
	if errors.Is(err, errStrays) {
		d.AssumeNoStrays = false
		if d.Strays, err = strays.wait(); err == nil {
			w, err = v.derive(ctx, d, strays)
		}
	}
	return w, err
}

// derive hands what is derived, resource by resource, to a writer. It writes nothing
// when it ends with errStrays.
func (v *Invoicer) derive(ctx context.Context, d schemas.Derivation, strays *search) (*writer, error) {
	w := &writer{v: v, plan: d, strays: strays, batch: Batch{Run: d.Run}, other: Batch{Run: d.Run}, parked: map[string]string{}}
	defer func() { _ = w.written() }() // nothing goes on writing after an error, which came first
	var cancel context.CancelFunc
	w.ctx, cancel = context.WithCancel(ctx)
	defer cancel()
	if d.Accounts != nil {
		var err error
		if w.left, err = v.findLeftovers(ctx, d.Run.Number, d.Accounts); err != nil {
			return w, err
		}
		defer w.left.close()
	}
	d.Anomalies = w.anomaly
	if err := w.deriveAll(ctx, d, w.gather); err != nil {
		return w, err
	}
	w.endAccount()
	if w.left != nil {
		if err := w.left.end(w.parked); err != nil {
			return w, err
		}
	}
	if err := w.flush(); err != nil {
		return w, err
	}
	if err := w.written(); err != nil {
		return w, err
	}
	return w, w.issueWide(ctx)
}

// deriveAll derives what the plan asks for, beside what was invoiced so far.
func (w *writer) deriveAll(ctx context.Context, d schemas.Derivation, gather func(schemas.Derived) error) error {
	if len(d.Earlier) > 0 && !d.Untouched {
		invoiced, err := w.v.Invoices.Invoiced(ctx, d.Run.Number, d.Accounts)
		if err != nil {
			return fmt.Errorf("read what was invoiced so far: %w", err)
		}
		w.invoiced = sortedLines(invoiced)
		defer func() { _ = invoiced.Close() }() // reading is over: what matters came from Next
	}
	if err := w.v.Periods.Derive(ctx, d, gather); err != nil {
		return fmt.Errorf("derive periods: %w", err)
	}
	return nil
}

// addSeal writes down that the run was carried out, but for what it parked.
func (v *Invoicer) addSeal(ctx context.Context, b *books, run schemas.Run, issued *writer) (Seal, error) {
	seal := Seal{
		Run: run.Number, Month: run.Month, SealedAt: v.Now().UTC().Truncate(time.Millisecond),
		Parked: issued.parkedList(b.stillParked(run.Number)), Totals: issued.totals.plus(b.seals[run.Number].Totals),
	}
	if err := v.RunLog.AddSeal(ctx, seal); err != nil {
		return Seal{}, fmt.Errorf("run %d: write down the seal of %s: %w", run.Number, run.Month, err)
	}
	b.seals[run.Number] = seal
	v.Metrics.sealed(seal)
	return seal, nil
}

// search is the one for stray copies. It goes on while resources
// are derived and priced, as if there were none, and ends before the first of them is
// written.
type search struct {
	cancel context.CancelFunc
	wait   func() (schemas.StrayWinner, error)
}

// findStrays begins one for a run, which has to be stopped.
func (v *Invoicer) findStrays(ctx context.Context, d schemas.Derivation) *search {
	ctx, cancel := context.WithCancel(ctx)
	return &search{cancel, v.Periods.FindStrays(ctx, d)}
}

func (s *search) stop() {
	s.cancel()
	_, _ = s.wait() // whoever needed the answer has asked
}

// errStrays says that there are such copies, and all is to be derived again: what was
// derived as if there were none is void.
var errStrays = errors.New("there are stray copies")

// none waits until it is known that there are none.
func (s *search) none() error {
	strays, err := s.wait()
	if err == nil && strays != nil {
		err = errStrays
	}
	return err
}
