package invoicer

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/reckon-billing/reckon/schemas"
)

// run is a run from its first row to its last.
func (v *Invoicer) run(ctx context.Context, b *books, month schemas.Month, n noted) (Seal, error) {
	run, err := v.recordRun(ctx, b, month, n)
	if err != nil {
		return Seal{}, err
	}
	return v.carryOut(ctx, b, run, nil)
}

// carryOut does what a run was recorded for: all of it, or only the given accounts,
// which an earlier attempt parked. It writes in this order, and each step is stored
// before the next begins:
//
//   - which resources late events touch;
//   - batch by batch what it issues: periods, lines and snapshots, then what proves
//     the invoices, then their headers, by which they exist;
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
	if err := v.forget(ctx, run, only); err != nil {
		return Seal{}, err
	}
	issued, err := v.issue(ctx, d, strays)
	if err != nil {
		return Seal{}, fmt.Errorf("run %d of %s: %w", run.Number, run.Month, err)
	}
	return v.addSeal(ctx, b, run, issued)
}

// recordRun writes down what the run may look at, before anything is derived. Of two
// that record one at once the first has the number, and both go on with its run; where
// a run of another kind has it, the next number is tried.
func (v *Invoicer) recordRun(ctx context.Context, b *books, month schemas.Month, n noted) (schemas.Run, error) {
	if err := refuseShorter(b.runs, n.cutoff); err != nil {
		return schemas.Run{}, err
	}
	run := schemas.Run{
		Kind: schemas.KindSeal, Month: month, CreatedAt: n.at, Cutoff: n.cutoff,
		FirstMonth: b.first(v.FirstMonth, month), Currency: v.Currency.Code, Zone: v.Zone.String(),
	}
	for {
		run.Number = b.nextNumber
		stored, err := v.RunLog.AddRun(ctx, run)
		if err != nil {
			return schemas.Run{}, fmt.Errorf("write down run %d of %s: %w", run.Number, month, err)
		}
		if stored.Kind == schemas.KindSeal {
			b.add(stored)
			return stored, nil
		}
		if before, found, err := v.overtaking(ctx, b); found || err != nil {
			return before, err
		}
	}
}

// overtaking finds the next number to try, or else the first run of a seal that
// somebody recorded since the books were read, below that number: that run is gone on
// with, as if it had been met under the number that was tried.
func (v *Invoicer) overtaking(ctx context.Context, b *books) (run schemas.Run, found bool, err error) {
	next, runs, err := v.readRuns(ctx)
	if err != nil {
		return run, false, err
	}
	for _, run := range runs {
		if run.Number > b.newest() {
			b.add(run)
			return run, true, nil
		}
	}
	b.nextNumber = max(next, b.nextNumber+1)
	return run, false, nil
}

// markTouched marks what late events touch of the months that earlier runs sealed.
func (v *Invoicer) markTouched(ctx context.Context, d *schemas.Derivation) error {
	d.Untouched = true
	if len(d.Earlier) == 0 {
		return nil
	}
	touched, err := v.Late.MarkTouched(ctx, d.Run, d.Since(), lastMonth(d.Earlier).End(v.Zone))
	if err != nil {
		return fmt.Errorf("run %d: find what late events touch: %w", d.Run.Number, err)
	}
	d.Untouched = touched == 0
	return nil
}

// forget clears what an attempt that parked the accounts left of them.
func (v *Invoicer) forget(ctx context.Context, run schemas.Run, parked []string) error {
	if parked == nil {
		return nil
	}
	if err := v.Invoices.Forget(ctx, run.Number, parked); err != nil {
		return fmt.Errorf("run %d: clear what a broken attempt left: %w", run.Number, err)
	}
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
	if len(d.Earlier) > 0 && !d.Untouched {
		invoiced, err := v.Invoices.Invoiced(ctx, d.Run.Number, d.Accounts)
		if err != nil {
			return w, fmt.Errorf("read what was invoiced so far: %w", err)
		}
		w.invoiced = sortedLines(invoiced)
		defer func() { _ = invoiced.Close() }() // reading is over: what matters came from Next
	}
	if err := v.Periods.Derive(ctx, d, w.gather); err != nil {
		return w, fmt.Errorf("derive periods: %w", err)
	}
	w.endAccount()
	if err := w.flush(); err != nil {
		return w, err
	}
	return w, w.written()
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
