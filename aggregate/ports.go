package aggregate

import (
	"context"
	"time"

	"github.com/reckon-billing/reckon/schemas"
)

// Source is what is stored of the events, in the order the fold wants it: every
// cursor ascends by (account id, resource id), text by its UTF-8 bytes, and the
// rows of the account itself (resource id empty) come before its resources.
//
// A failed read is an error, never an early end (contract 5.5). Slices in a row stay
// as they are after the next, but for those of [Rows].
type Source interface {
	// Snapshots are the states at the instant when scope.Month begins.
	Snapshots(ctx context.Context, scope Scope) (schemas.Cursor[schemas.Snapshot], error)
	// Events are lifecycle or usage events, further ascending by (time, sequence,
	// source, id), copies in any order. Copies that a redelivery stored twice may
	// appear twice.
	Events(ctx context.Context, scope Scope, what What) (schemas.Cursor[Rows], error)
	// Strays are all copies inside the cutoff of every identity whose copies there
	// do not all have the same account, resource, time, sequence and kind (usage or
	// lifecycle), ascending by identity: the fold cannot see them side by side.
	Strays(ctx context.Context, cutoff schemas.Cutoff) (schemas.Cursor[StrayCopy], error)
}

// What selects the events of a cursor.
type What int

// Lifecycle events are all but usage, account.mode_changed among them.
const (
	Lifecycle What = iota
	Usage
)

// Copy is one stored copy of an event. Of a usage event only the fields that
// all events have, Item and Value are set.
type Copy struct {
	schemas.Event
	Position schemas.Position
	// KafkaTime is the Kafka timestamp, UTC.
	KafkaTime time.Time
	// Err says that the stored row could not be read back as the event it was;
	// account and resource are set all the same. It breaks its account alone.
	Err error
}

// StrayCopy is one copy of an identity that has copies elsewhere.
type StrayCopy struct {
	Identity  schemas.Hash
	Position  schemas.Position
	KafkaTime time.Time
}

// Scope bounds what a cursor reads.
type Scope struct {
	// Cutoff is the part of the log that counts.
	Cutoff schemas.Cutoff
	// From and To bound the time of lifecycle events; usage ends at UsageTo.
	// All are UTC, half-open.
	From, To, UsageTo time.Time
	// Month is where the snapshots are taken: they are the states at its beginning. A
	// zero month has none.
	Month schemas.Month
	// Run numbers the seal that asks: of the touched resources that it wrote
	// down, and snapshots of later runs do not count. Where a survey asks, the touched
	// resources are those that it wrote down under its name.
	Run     int64
	Survey  string
	Touched Touched
	// Accounts restricts to these accounts, nil for all; Except leaves some out.
	Accounts, Except []string
	// Only restricts to one resource's events and its account's own, or to the account's
	// alone; nil for all. It comes with a zero month and All.
	Only *schemas.ResourceKey
	// Named says that source and id of usage events are wanted. Else they may be
	// left empty: most usage is only added up.
	Named bool
}

// Touched selects resources by whether the run wrote them down as touched by
// late events.
type Touched int

// All resources; only the touched ones, and with them the account rows of their
// accounts; all but the touched ones.
const (
	All Touched = iota
	OnlyTouched
	ExceptTouched
)
