package invoicer

import (
	"context"
	"fmt"
	"time"

	"github.com/reckon-billing/reckon/schemas"
	"github.com/reckon-billing/reckon/schemas/tables"
)

// Log tells how far the log goes and how far ingest has stored it.
type Log interface {
	// Ends are the last stable offsets of every partition of both topics.
	Ends(ctx context.Context) ([]schemas.PartitionEnd, error)
	// Stored are the offsets up to which ingest has stored and committed; a
	// partition without any has 0.
	Stored(ctx context.Context) ([]schemas.PartitionEnd, error)
}

// Events tells what is stored, for what a first seal must not do by itself.
type Events interface {
	// FirstStored is when the first event was stored; zero while there is none.
	FirstStored(ctx context.Context) (time.Time, error)
	// HasEventBefore tells whether an event is stored whose own time lies before an
	// instant.
	HasEventBefore(ctx context.Context, at time.Time) (bool, error)
}

// RunLog is where runs are written down before, and seals after, all else.
type RunLog interface {
	// NextNumber is the number after the newest run's, of whatever kind that is.
	NextNumber(ctx context.Context) (int64, error)
	// Runs are the runs of schemas.KindSeal so far, by number ascending. Those of other
	// kinds, of which there may be very many, are not read.
	Runs(ctx context.Context) ([]schemas.Run, error)
	// AddRun writes the run down unless its number is taken, and returns the run
	// of that number as it is stored: the caller's or the one that won, which may be
	// of another kind.
	AddRun(ctx context.Context, run schemas.Run) (schemas.Run, error)
	// Seals are the seal of every run that was carried out, by run ascending. Of those
	// of one run the one with the fewest parked accounts holds, then the newest: what
	// was carried out stays so, whatever a slower runner says of it later.
	Seals(ctx context.Context) ([]Seal, error)
	// AddSeal writes down that a run was carried out, unless a header of the run has
	// other than its number of lines or lacks its hash: that is a *LacksError, and
	// nothing is written.
	AddSeal(ctx context.Context, seal Seal) error
}

// LacksError says that an invoice of a run is not stored whole, so that the run cannot
// be sealed.
type LacksError struct {
	Run                   int64
	AccountID, ResourceID string
	Code                  string
	// Lines are those that are stored, of Want that the header tells; Hashes are the
	// hashes that are stored, of one.
	Lines, Want, Hashes int64
}

func (e *LacksError) Error() string {
	return fmt.Sprintf("invoice %s of run %d (account %q, resource %q) has %d lines and %d hashes stored, and must have %d and 1: its month is not sealed until they are there",
		e.Code, e.Run, e.AccountID, e.ResourceID, e.Lines, e.Hashes, e.Want)
}

// Seal says that a run was carried out, but for the accounts it parked.
type Seal struct {
	Run   int64
	Month schemas.Month
	// Parked are the accounts that are still to be done, each with why.
	Parked []Parked
	// SealedAt is the wall clock when the seal was written, UTC.
	SealedAt time.Time
	Totals   Totals
}

// Parked is a broken account: the month stays unsealed for it alone.
type Parked struct {
	AccountID, Reason string
}

// Totals count what a run issued.
type Totals struct {
	Invoices, Adjustments, Lines int64
	Amounts                      schemas.Amounts
}

// Late finds what late events touch.
type Late interface {
	// MarkTouched writes down, once for the run, which resources (and accounts,
	// with an empty resource id, along with all their resources) have sealed
	// months that an event stored since the earlier cutoff can change, and
	// returns how many. Events of times before sealedTo touch; lifecycle events up
	// to 24 hours later touch where the resource has a provision_failed in those
	// 24 hours (contract 3 and 5).
	MarkTouched(ctx context.Context, run schemas.Run, since schemas.Cutoff, sealedTo time.Time) (int64, error)
}

// Deriver derives reconciliation periods from the stored events.
type Deriver interface {
	// Derive yields every resource that has periods, a snapshot or an error, by
	// (account id, resource id) ascending. An error of its own means that the
	// whole derivation failed.
	Derive(ctx context.Context, plan schemas.Derivation, yield func(schemas.Derived) error) error
	// FindStrays begins to look whether there are stray copies, anywhere inside the
	// plan's cutoff, which takes long and mostly finds none. What it returns waits for
	// the answer, for Derivation.Strays; nil when there are none. It is there to be
	// called, if only after the context was canceled.
	FindStrays(ctx context.Context, plan schemas.Derivation) (wait func() (schemas.StrayWinner, error))
}

// InvoiceStore keeps what was invoiced.
type InvoiceStore interface {
	// Write stores a batch: anomalies, periods, lines and snapshots first, then what
	// proves the invoices, then the headers.
	// Writing what is there already changes nothing.
	Write(ctx context.Context, batch Batch) error
	// Invoiced are the lines invoiced by runs before the given one for the
	// resources that it marked as touched, by (account id, resource id)
	// ascending, then by run, month and number. Only lines whose
	// header is stored count.
	Invoiced(ctx context.Context, run int64, accounts []string) (schemas.Cursor[schemas.Line], error)
	// AllInvoiced are the lines invoiced by runs before the given one for any
	// resource, in the same order.
	AllInvoiced(ctx context.Context, run int64) (schemas.Cursor[schemas.Line], error)
	// Written are the keys of all rows that the run has written of the accounts, headers
	// and anomalies aside, by (account id, resource id) ascending; a row may be there more than once.
	Written(ctx context.Context, run int64, accounts []string) (schemas.Cursor[tables.RowKey], error)
	// Tell writes down that all anomalies of what the run derives are stored. Versions
	// that did not know of any wrote no such thing. Again it changes nothing.
	Tell(ctx context.Context, run int64) error
	// Forget removes these rows of the run, and no other; none of an invoice that has a
	// header, and of a resource that has an invoice of the run none at all.
	Forget(ctx context.Context, run int64, rows []tables.RowKey) error
}

// Batch is what is written together.
type Batch struct {
	Run       schemas.Run
	Periods   []schemas.Period
	Lines     []schemas.Line
	Snapshots []schemas.Snapshot
	Invoices  []schemas.Invoice
	// Hashes are one for each of the invoices, Minutes of each resource derived.
	Hashes  []schemas.InvoiceHash
	Minutes []schemas.ResourceMinutes
	// Anomalies are events that the run came to and that bill nothing. Those of usage may
	// lack source and id: the store knows them by where they lie.
	Anomalies []schemas.Anomaly
}
