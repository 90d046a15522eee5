package schemas

import (
	"time"

	"github.com/shopspring/decimal"
)

// Reason says why an event that could not apply is an anomaly (contract 3, 8).
type Reason string

// The reasons of anomalies.
const (
	UnknownResource Reason = "unknown_resource"
	DuplicateCreate Reason = "duplicate_create"
	AfterDelete     Reason = "after_delete"
	NoEffect        Reason = "no_effect"
	TooLate         Reason = "too_late"
	UnmatchedUsage  Reason = "unmatched_usage"
	NoTerm          Reason = "no_term"
)

// AnomalyReasons are all of them.
func AnomalyReasons() []Reason {
	return []Reason{UnknownResource, DuplicateCreate, AfterDelete, NoEffect, TooLate, UnmatchedUsage, NoTerm}
}

// Anomaly is an event that cannot apply: listed with its reason, billed nothing.
type Anomaly struct {
	AccountID, ResourceID string
	// Event may lack source and id where it is usage that nobody asked the names of:
	// where it lies tells which it is.
	Event  EventRef
	Reason Reason
	// Item and Value are those of unmatched usage.
	Item  string
	Value decimal.Decimal
	// Month is the billing month of the event's time, and Run the run that tells of it;
	// whoever stores it sets both. One that a survey tells of has no run.
	Month Month
	Run   int64
}

// ToldRun says that all anomalies of a run are told.
type ToldRun struct {
	Run int64
	// Since is of a run that tells of all months up to its own and of every resource, but
	// for the accounts LeftOut: what runs before it told does not count.
	Since   bool
	LeftOut []string
}

// Told are the numbers of the runs that have told, and the newest of those that told of
// all before them; zero for none.
func Told(all []ToldRun) (since ToldRun, told map[int64]bool) {
	told = map[int64]bool{}
	for _, t := range all {
		if told[t.Run] = true; t.Since && t.Run > since.Run {
			since = t
		}
	}
	return since, told
}

// Survey is a look at what bills nothing of all that is stored, between seals. What it
// tells follows from what stands in it, but for NotedAt.
type Survey struct {
	// ID names it, see [github.com/reckon-billing/reckon/invoicer/survey].
	ID string
	// Run is the newest run that it rests on: all runs up to it were carried out. Month
	// is the newest month that they sealed. Both are zero before the first seal.
	Run   int64
	Month Month
	// Cutoff is what was stored, of so many Messages.
	Cutoff   Cutoff
	Messages int64
	// LeftOut are accounts that it tells nothing of, sorted: parked ones, and those that
	// cannot be derived.
	LeftOut []string
	// NotedAt is when the cutoff was noted, UTC.
	NotedAt time.Time
}
