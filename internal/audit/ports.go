package audit

import (
	"context"
	"errors"
	"time"

	"github.com/reckon-billing/reckon/aggregate"
	"github.com/reckon-billing/reckon/invoicer"
	"github.com/reckon-billing/reckon/schemas"
)

// Auditor reads what it audits through its ports. Its methods may be called at
// once.
type Auditor struct {
	RunLog    RunLog
	Invoices  Invoices
	Proofs    Proofs
	Offsets   Offsets
	Log       Log
	Events    aggregate.Source
	Resources Resources

	Currency schemas.Currency
	// Zone is the billing zone.
	Zone *time.Location
}

// ErrNotFound says that there is no such invoice.
var ErrNotFound = errors.New("not found")

// RunLog is where runs and their seals are written down.
type RunLog interface {
	// Runs are all runs of seals, by number ascending; between them are gaps.
	Runs(ctx context.Context) ([]schemas.Run, error)
	// Seals are those of the runs that were carried out.
	Seals(ctx context.Context) ([]invoicer.Seal, error)
}

// Invoices is where invoices stand.
type Invoices interface {
	// Invoice finds an invoice by its code, with its lines; it wraps [ErrNotFound]
	// when there is none.
	Invoice(ctx context.Context, code string) (schemas.Invoice, []schemas.ReportRow, error)
	// Sealed streams what is stored of a month up to a run, by (account id, resource
	// id) ascending. A resource stays as it is when the next is read.
	Sealed(ctx context.Context, month schemas.Month, run int64) (schemas.Cursor[SealedResource], error)
	// Strayed finds the headers and lines of an invoice's code that stand elsewhere
	// than the invoice does.
	Strayed(ctx context.Context, h *schemas.InvoiceHash) ([]schemas.Invoice, []StoredLine, error)
}

// Proofs is what was stored to prove invoices with.
type Proofs interface {
	// MonthHashes are those stored with the seals of a month up to a run, by run
	// ascending; Rehash is what they should be by the hashes of the invoices.
	MonthHashes(ctx context.Context, month schemas.Month, run int64) ([]schemas.RunHash, error)
	Rehash(ctx context.Context, month schemas.Month, run int64) ([]schemas.RunHash, error)
	// ItemMinutes yields those of a month as stored up to a run, by account ascending.
	ItemMinutes(ctx context.Context, month schemas.Month, run int64, yield func(schemas.AccountMinutes) error) error
}

// Offsets is where each message is stored.
type Offsets interface {
	// StoredOffsets streams every message that is stored of what lies before the
	// cutoff, by topic, partition and offset ascending, as often as it is stored.
	StoredOffsets(ctx context.Context, cutoff schemas.Cutoff) (schemas.Cursor[StoredOffset], error)
	// MissingIdentities names events before the cutoff of which copies would not be
	// found, up to so many, by topic, partition and offset.
	MissingIdentities(ctx context.Context, cutoff schemas.Cutoff, most int) ([]schemas.Position, error)
}

// Log is Kafka, which is asked again what it had.
type Log interface {
	// Starts are the first offsets that are still there, of the logs that the topics
	// are now.
	Starts(ctx context.Context, topics ...string) ([]schemas.PartitionEnd, error)
	// Read hands out the messages of a partition of such a log from an offset up to the
	// end, in order.
	Read(ctx context.Context, of schemas.PartitionEnd, from int64, each func(*schemas.Message) error) error
}

// Resources narrows what is stored to one resource.
type Resources interface {
	OneResource(account, resource string) Resource
}

// Resource is the events of one resource, and of its account's own, to derive it
// alone from full history, and its past.
type Resource interface {
	aggregate.Source
	Past
}

// Past is what is known of one resource beside its events.
type Past interface {
	// Usage yields the events of one item in [from, to), of each the copy that counts
	// before the cutoff, in order.
	Usage(ctx context.Context, cutoff schemas.Cutoff, item string, from, to time.Time, yield func(UsageEvent) error) error
	// Before yields what runs before the given one invoiced of a month.
	Before(ctx context.Context, month schemas.Month, run int64, yield func(schemas.ReportRow) error) error
	// Period finds the events that opened and closed a period when it was last stored
	// by a run up to the given one: closed is nil where it went on, opened where there
	// is no such period.
	Period(ctx context.Context, month schemas.Month, start time.Time, run int64) (opened, closed *schemas.EventRef, err error)
}
