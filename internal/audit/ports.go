package audit

import (
	"context"
	"errors"
	"time"

	"github.com/shopspring/decimal"

	"github.com/reckon-billing/reckon/aggregate"
	"github.com/reckon-billing/reckon/invoicer"
	"github.com/reckon-billing/reckon/schemas"
	"github.com/reckon-billing/reckon/schemas/tables"
)

// Auditor reads what it audits through its ports. Its methods may be called at
// once.
type Auditor struct {
	RunLog        RunLog
	Invoices      Invoices
	Proofs        Proofs
	Stored        Messages
	KeptPeriods   Kept[schemas.Period]
	KeptSnapshots Kept[schemas.Snapshot]
	KeptMinutes   Kept[schemas.ResourceMinutes]
	KeptAnomalies Kept[schemas.Anomaly]
	Told          Told
	Log           Log
	Events        aggregate.Source
	Resources     Resources

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
	// ChangedRuns are columns of the rows of runs and seals that are not as they were
	// when the seals were written, by run; UnknownRuns are numbers of runs that have
	// issued or sealed something and are not written down.
	ChangedRuns(ctx context.Context) ([]RunChange, error)
	UnknownRuns(ctx context.Context) ([]int64, error)
}

// RunChange is a column of a run's row, or of its seal's, that was changed.
type RunChange struct {
	Run           int64
	Table, Column string
	// Stored is what it says now; nothing where there is no row of the run.
	Stored string
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

// Kept is what runs keep of a month beside its invoices, as texts of rows, which are
// equal exactly where the rows are. Snapshots are those of what the month begins with,
// among them those of all that was dead by then.
type Kept[T any] interface {
	// Kept streams what runs up to one stored of a month, by (account id, resource id)
	// and run ascending, as often as it is stored. Of snapshots the one that counts
	// comes last.
	Kept(ctx context.Context, month schemas.Month, run int64) (schemas.Cursor[KeptRow], error)
	// Elsewhere are some rows of a resource that are of another month or run.
	Elsewhere(ctx context.Context, of schemas.ResourceKey, month schemas.Month, run int64) ([]KeptRow, error)
	Form() RowForm[T]
}

// Told tells which runs have told of anomalies: those of older versions have not. What is
// kept of anomalies of a month, up to a run, is what stood when that was sealed.
type Told interface {
	ToldRuns(ctx context.Context) ([]schemas.ToldRun, error)
}

// RowForm says how a row is stored. It is for one goroutine.
type RowForm[T any] interface {
	// Text is the row's.
	Text(row *T) (string, error)
	// Columns takes the text of a row apart; the first is the name of its table.
	Columns(text string) ([]Value, error)
}

// Messages is how each message is stored.
type Messages interface {
	// StoredMessages streams the rows of what lies before the cutoff, by log,
	// topic, partition, offset, kind and digest ascending, as often as they are stored.
	StoredMessages(ctx context.Context, cutoff schemas.Cutoff) (schemas.Cursor[StoredMessage], error)
	// StoredBytes yields, in any order, what a partition is stored to have had before
	// an end. A message is valid until yield returns.
	StoredBytes(ctx context.Context, before schemas.PartitionEnd, yield func(*StoredBytes) error) error
	// MissingIdentities names events before the cutoff of which copies would not be
	// found, up to so many, by log, topic, partition and offset.
	MissingIdentities(ctx context.Context, cutoff schemas.Cutoff, most int) ([]schemas.Position, error)
	MessageRows
}

// MessageRows are rows of messages as texts, which are equal exactly where the rows are.
type MessageRows interface {
	// MessageRows are those at a position.
	MessageRows(ctx context.Context, at schemas.Position, rejected bool) ([]string, error)
	// StrayedRows are some that may be a message's (of the identity, if it is an
	// event), and stand where the cutoff has none.
	StrayedRows(ctx context.Context, cutoff schemas.Cutoff, m *schemas.Message, identity schemas.Hash, rejected bool) ([]string, error)
	// Mirror is for one goroutine.
	Mirror() Mirror
}

// Mirror says how a message would be stored. A text is valid until the next call.
type Mirror interface {
	Event(e *schemas.Event, m *schemas.Message) ([]byte, error)
	Letter(m *schemas.Message, why *schemas.Rejection) ([]byte, error)
	// Columns takes the text of a row apart.
	Columns(row string, rejected bool) ([]Value, error)
}

// Log is Kafka, which is asked again what it had.
type Log interface {
	// Gaps are the messages that were gone before they were read, which an operator has
	// accepted.
	Gaps(ctx context.Context) ([]schemas.LogNote, error)
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

// StoredLine is a line as it stands in the store.
type StoredLine struct {
	schemas.Line
	// MonthText is the month as it stands, which may be no month.
	MonthText string
}

// SealedResource is what is stored of one resource in one month.
type SealedResource struct {
	AccountID, ResourceID string
	// Headers, Lines and Hashes each ascend by run and code. Lines without a header
	// and hashes without one are among them.
	Headers []schemas.Invoice
	Lines   []StoredLine
	Hashes  []schemas.InvoiceHash
}

// StoredMessage is a row of a message: of an event or of a dead letter.
type StoredMessage struct {
	schemas.Position
	Rejected bool
	// Digest is the SHA-256 of the row's text ([MessageRows]).
	Digest schemas.Digest
	// Why is what a dead letter says.
	Why schemas.Rejection
}

// StoredBytes is a message as the store has it; it lay so in Kafka, but for the key of
// an event.
type StoredBytes struct {
	Message schemas.Message
	// Rejected and the rest are as in [StoredMessage].
	Rejected bool
	Digest   schemas.Digest
	Why      schemas.Rejection
}

// KeptRow is a row that a run stored of a resource.
type KeptRow struct {
	schemas.ResourceKey
	Run  int64
	Text string
}

// Value is a column of a row with its value as text.
type Value = tables.Value

// UsageEvent is one usage event with its value.
type UsageEvent struct {
	schemas.EventRef
	Value decimal.Decimal
}
