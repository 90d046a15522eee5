package audit

import (
	"context"
	"fmt"
	"time"

	"github.com/reckon-billing/reckon/aggregate"
	"github.com/reckon-billing/reckon/schemas"
)

// DeadLetter is a message that was rejected, with what was done about it.
type DeadLetter struct {
	// Message is as it lay in Kafka; key, value and headers are there only where the
	// letter was read whole. Its key is nil where it was empty.
	schemas.Message
	// Bytes is the size of the value.
	Bytes int64
	// Producer is the event's source, or the message's key where that cannot be
	// read.
	Producer       string
	Reason, Detail string
	// Replays counts how often it was produced again: last at ReplayedAt, to
	// ReplayedAs, Fixed with another value.
	Replays    int64
	ReplayedAt time.Time
	ReplayedAs schemas.Position
	Fixed      bool
	// ReplayOf is the letter that this one is a replay of, which was rejected again;
	// nil for none.
	ReplayOf *schemas.Position
}

// DeadLetterFilter chooses dead letters; what is zero does not narrow.
type DeadLetterFilter struct {
	Topic, Reason, Producer string
	// From and To bound the Kafka timestamp, half-open.
	From, To time.Time
	// At is one letter.
	At *schemas.Position
}

// ReasonCount counts the letters of a reason.
type ReasonCount struct {
	Reason string
	// Replayed were produced again; Again are replays that were rejected again.
	Letters, Replayed, Again int64
}

// Replay says that a dead letter was produced again.
type Replay struct {
	Letter, As schemas.Position
	// Fixed is with another value than the letter's.
	Fixed bool
}

// Conflict is a copy of an event that differs from the one that counts.
type Conflict struct {
	schemas.EventRef
	AccountID, ResourceID string
	Raw                   string
	// Counting is where the copy that counts lies, CountingRaw what it says.
	Counting    schemas.Position
	CountingRaw string
}

// Anomalies yields the events before a cutoff that cannot apply and are billed
// nothing, over all months; accounts restricts to these, nil for all.
func (a *Auditor) Anomalies(ctx context.Context, cutoff schemas.Cutoff, accounts []string, yield func(schemas.Anomaly) error) error {
	runs, err := a.RunLog.Runs(ctx)
	if err != nil {
		return fmt.Errorf("read the runs: %w", err)
	}
	d := &aggregate.Deriver{Source: a.Events, Zone: a.Zone, Named: true}
	// A run that nobody records has no number.
	plan := schemas.Derivation{Run: schemas.Run{Cutoff: cutoff}, Earlier: runs, Accounts: accounts, Anomalies: yield}
	if err := d.Survey(ctx, plan, func(r schemas.Derived) error { return r.Err }); err != nil {
		return fmt.Errorf("list the anomalies: %w", err)
	}
	return nil
}
