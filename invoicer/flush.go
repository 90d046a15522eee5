package invoicer

import (
	"fmt"
	"slices"

	"github.com/reckon-billing/reckon/schemas"
)

// anomaly takes an event that bills nothing: there may be any number of a resource, and
// they come before it. What is told of an account that breaks later is so all the same,
// and none of it is a leftover.
func (w *writer) anomaly(a schemas.Anomaly) error {
	if _, parked := w.parked[a.AccountID]; parked {
		return nil
	}
	a.Month, a.Run = schemas.MonthOf(a.Event.Time, w.v.Zone), w.plan.Run.Number
	w.batch.Anomalies = append(w.batch.Anomalies, a)
	return w.flushFull()
}

// flush hands over what has gathered to be written beside what comes next; the first
// time it waits until it is known that there are no stray copies. No two batches are written
// at once, so that headers stay behind lines; and no more than two are held.
func (w *writer) flush() error {
	if w.plan.AssumeNoStrays {
		if err := w.strays.none(); err != nil {
			return err
		}
	}
	if err := w.written(); err != nil {
		return err
	}
	if err := w.v.forget(w.ctx, w.plan.Run.Number, w.left); err != nil {
		return err
	}
	w.batch, w.other, w.fat = w.other, w.batch, 0
	w.batch.grow(&w.other)
	w.writing = make(chan error, 1)
	go func(batch Batch, done chan<- error) { done <- w.v.Invoices.Write(w.ctx, batch) }(w.other, w.writing)
	return nil
}

// written waits until what was handed over is written, and counts it.
func (w *writer) written() error {
	if w.writing == nil {
		return nil
	}
	err := <-w.writing
	w.writing = nil
	if err != nil {
		return fmt.Errorf("write %d lines and %d invoices: %w", len(w.other.Lines), len(w.other.Invoices), err)
	}
	w.totals.count(&w.other)
	w.v.Metrics.issued(&w.other)
	if w.v.Progress != nil {
		w.v.Progress(w.plan.Run, w.totals)
	}
	w.other.reset()
	return nil
}

// grow makes room for as much as another batch has: growing row by row costs more.
func (b *Batch) grow(o *Batch) {
	b.Periods, b.Lines, b.Snapshots = slices.Grow(b.Periods, len(o.Periods)), slices.Grow(b.Lines, len(o.Lines)), slices.Grow(b.Snapshots, len(o.Snapshots))
	b.Invoices, b.Hashes, b.Minutes = slices.Grow(b.Invoices, len(o.Invoices)), slices.Grow(b.Hashes, len(o.Hashes)), slices.Grow(b.Minutes, len(o.Minutes))
	b.Anomalies = slices.Grow(b.Anomalies, len(o.Anomalies))
}

// reset empties the batch and keeps its memory.
func (b *Batch) reset() {
	b.Periods, b.Lines, b.Snapshots = b.Periods[:0], b.Lines[:0], b.Snapshots[:0]
	b.Invoices, b.Hashes, b.Minutes = b.Invoices[:0], b.Hashes[:0], b.Minutes[:0]
	b.Anomalies = b.Anomalies[:0]
}

// count adds what was written. Lines count with their invoice: those of an account that
// breaks later are in no invoice.
func (t *Totals) count(b *Batch) {
	for i := range b.Invoices {
		t.Lines += int64(b.Invoices[i].Lines)
		if b.Invoices[i].Kind == schemas.KindAdjustment {
			t.Adjustments++
		} else {
			t.Invoices++
		}
		t.Amounts = t.Amounts.Add(b.Invoices[i].Amounts)
	}
}

func (t Totals) plus(o Totals) Totals {
	return Totals{t.Invoices + o.Invoices, t.Adjustments + o.Adjustments, t.Lines + o.Lines, t.Amounts.Add(o.Amounts)}
}
