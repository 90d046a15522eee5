package schemas

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/shopspring/decimal"
)

// Type is the CloudEvents type of an event (contract 2).
type Type string

// The types of events that reckon knows. Anything else is rejected.
const (
	AccountModeChanged      Type = "account.mode_changed"
	ResourceCreated         Type = "resource.created"
	ResourceResized         Type = "resource.resized"
	ResourceRenewed         Type = "resource.renewed"
	ResourceSuspended       Type = "resource.suspended"
	ResourceResumed         Type = "resource.resumed"
	ResourceDeleted         Type = "resource.deleted"
	ResourceRecovered       Type = "resource.recovered"
	ResourceProvisionFailed Type = "resource.provision_failed"
	UsageRecorded           Type = "usage.recorded"
)

// Mode says when an account pays: before (prepaid) or at month end (postpaid).
type Mode string

// The two modes. An account without any mode change is prepaid (contract 1).
const (
	Prepaid  Mode = "prepaid"
	Postpaid Mode = "postpaid"
)

// Event is a whole, valid event (contract 2). Which of the optional fields may
// be set depends on Type; a field that the event left out has its zero value.
type Event struct {
	// Source and ID are the identity: the same pair never counts twice.
	Source, ID string
	Type       Type
	AccountID  string
	// ResourceID is the subject; it is empty for account.* events.
	ResourceID string
	// Time is when it happened, in UTC, cut to milliseconds.
	Time time.Time
	// Sequence breaks ties of Time; 0 when left out.
	Sequence int64

	// The payloads, one a family: only that of the type's own family is set.
	Lifecycle
	Usage
}

// Lifecycle is what the events of accounts and resources say (contract 2).
type Lifecycle struct {
	// Mode is set in account.mode_changed, optional in resource.created.
	Mode Mode
	// ResourceName, Product and Service are set in resource.created.
	ResourceName, Product, Service string
	// Items is the complete list of priced items, nil when left out.
	Items []Item
	// Coupon is nil when left out.
	Coupon *Coupon
	// ExpiresAt is in UTC, cut to milliseconds; zero when left out.
	ExpiresAt time.Time
	AutoRenew bool
}

// Usage is what usage.recorded says: one value of one item.
type Usage struct {
	Item  string
	Value decimal.Decimal
}

// Coupon is a balance bought with a resource (contract 4).
type Coupon struct {
	Code string
	// Value is positive and in whole minor units of the currency.
	Value decimal.Decimal
}

// EventRef names one event: its identity and where its counting copy lies in
// the log.
type EventRef struct {
	Source, ID string
	Type       Type
	// Time is the event's own time, UTC.
	Time time.Time
	// Position is where the counting copy was read.
	Position Position
}

// Position is where a message lies in Kafka.
type Position struct {
	// Log is one life of a topic on one cluster. The first is 0 here and in the
	// store, and 1 to people; the second is 2.
	Log       int32
	Topic     string
	Partition int32
	Offset    int64
}

// Where writes the position as people name it. It is no String, which would hide the
// rest of whatever holds a position from a format.
func (p Position) Where() string {
	return fmt.Sprintf("%s/%d/%d%s", p.Topic, p.Partition, p.Offset, OfLog(p.Log))
}

// OfLog names a log behind a position, as in billing.usage/3/17@2; the first, which
// most topics stay in, is not named.
func OfLog(log int32) string {
	if log == 0 {
		return ""
	}
	return fmt.Sprintf("@%d", log)
}

// LogNumber is the number of a log as people count: 1 for the first.
func LogNumber(log int32) int32 { return max(log, 1) }

// Compare orders the events of a resource: (time, sequence, source, id)
// ascending, text by its UTF-8 bytes (contract 2).
func (e *Event) Compare(o *Event) int {
	return cmp.Or(
		e.Time.Compare(o.Time),
		cmp.Compare(e.Sequence, o.Sequence),
		strings.Compare(e.Source, o.Source),
		strings.Compare(e.ID, o.ID),
	)
}

// ComparePositions orders copies of equal Kafka timestamp: (log, topic, partition,
// offset) ascending (contract 2).
func ComparePositions(a, b Position) int {
	return cmp.Or(
		cmp.Compare(a.Log, b.Log),
		strings.Compare(a.Topic, b.Topic),
		cmp.Compare(a.Partition, b.Partition),
		cmp.Compare(a.Offset, b.Offset),
	)
}
