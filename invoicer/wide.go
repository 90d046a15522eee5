package invoicer

import (
	"cmp"
	"context"
	"fmt"

	"github.com/reckon-billing/reckon/schemas"
)

// An account's headers wait until all of it is derived: it may break at its last
// resource, and then none of its invoices may exist. They wait in memory, as many as
// are written together; an account that has more is wide (O5). Of a wide one all but
// the headers and what proves them is written as it is derived. Once it has ended well
// it is derived again, which comes to the same, and they are written as they come.

// batchRows is how many rows of lines and what else grows with the resources are
// written together, unless BatchRows says otherwise. Of headers that wait for the end of
// their account there are as many.
const batchRows = 50_000

// most is how many rows are written together.
func (w *writer) most() int { return cmp.Or(w.v.BatchRows, batchRows) }

// flushFull writes a batch that has enough.
func (w *writer) flushFull() error {
	b := &w.batch
	if len(b.Lines)+len(b.Periods)+len(b.Snapshots)+len(b.Minutes)+len(b.Anomalies)+w.fat < w.most() && len(b.Invoices) < w.most() {
		return nil
	}
	return w.flush()
}

// What a row has no bounds for weighs as further rows: so many items of a period, or late
// events that an adjustment names, and so many bytes of a snapshot.
const (
	itemsOfARow = 4
	bytesOfARow = 1024
)

// fatOf is by how much a resource weighs more than its rows.
func fatOf(d *schemas.Derived) (fat int) {
	for i := range d.Periods {
		fat += len(d.Periods[i].Items) / itemsOfARow
	}
	if d.Snapshot != nil {
		fat += len(d.Snapshot.State) / bytesOfARow
	}
	return fat
}

// holdNoMore lets go of what is held of an account that is wide, or becomes it.
func (w *writer) holdNoMore() {
	switch {
	case w.isWide:
		w.dropHeld()
	case len(w.headers)+w.heldFat > w.most() || len(w.lived) > w.most():
		w.isWide = true
		w.headers, w.hashes, w.lived, w.heldFat = nil, nil, nil, 0 // their memory too
	}
}

// release puts what is held of the account into the batch.
func (w *writer) release() {
	w.batch.Invoices = append(w.batch.Invoices, w.headers...)
	w.batch.Hashes = append(w.batch.Hashes, w.hashes...)
	w.batch.Minutes = append(w.batch.Minutes, w.lived...)
	w.fat += w.heldFat
	w.dropHeld()
}

func (w *writer) dropHeld() {
	w.headers, w.hashes, w.lived, w.heldFat = w.headers[:0], w.hashes[:0], w.lived[:0], 0
}

// issueWide derives the wide accounts again and writes what was not held of them.
func (w *writer) issueWide(ctx context.Context) error {
	if len(w.wide) == 0 {
		return nil
	}
	w.batch, w.other = Batch{Run: w.plan.Run}, Batch{Run: w.plan.Run}
	d := w.plan
	d.Accounts = w.wide
	if err := w.deriveAll(ctx, d, w.gatherHeaders); err != nil {
		return err
	}
	if err := w.flush(); err != nil {
		return err
	}
	return w.written()
}

// gatherHeaders takes one resource of a wide account. It ended well before: should it
// break now, some of its headers may be written, and it can't be parked any more.
func (w *writer) gatherHeaders(d schemas.Derived) error {
	if d.Err != nil {
		return fmt.Errorf("account %q comes to something else when it is derived a second time: %w", d.AccountID, d.Err)
	}
	if err := w.price(d); err != nil {
		return err
	}
	w.batch.Periods, w.batch.Lines, w.batch.Snapshots = w.batch.Periods[:0], w.batch.Lines[:0], w.batch.Snapshots[:0]
	w.release()
	return w.flushFull()
}
