package audit

import (
	"context"
	"fmt"
	"slices"
	"strings"
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

// toldCheck compares the anomalies of the month that stood when a run was sealed with
// what the events before its cutoff come to. It is nil where a version did the work that
// told of none: then there is nothing to compare.
type toldCheck struct {
	*keptCheck
	rows *keptRows[schemas.Anomaly]
	// told are those that the events of the resource come to.
	of   schemas.ResourceKey
	told []schemas.Anomaly
}

func (p *proof) told(ctx context.Context, run schemas.Run) (*toldCheck, error) {
	all, err := p.Told.ToldRuns(ctx)
	if err != nil || !toldUpTo(all, p.all[:p.runs[run.Number]+1]) {
		return nil, err
	}
	rows, err := openKept(ctx, p.KeptAnomalies, p.Month, run.Number)
	if err != nil {
		return nil, fmt.Errorf("read the anomalies of %s: %w", p.Month, err)
	}
	return &toldCheck{keptCheck: &keptCheck{proof: p, run: run, pairing: pairing{proof: p}}, rows: rows}, nil
}

// toldUpTo tells whether the runs have told all, or one of them of all before it.
func toldUpTo(all []schemas.ToldRun, runs []schemas.Run) bool {
	since, told := schemas.Told(all)
	untold := func(r schemas.Run) bool { return r.Number > since.Run && !told[r.Number] }
	return len(since.LeftOut) == 0 && since.Run <= runs[len(runs)-1].Number && !slices.ContainsFunc(runs, untold)
}

// ask makes the plan tell of what is compared, by name.
func (c *toldCheck) ask(plan *schemas.Derivation, d *aggregate.Deriver) {
	if c != nil {
		plan.Anomalies, d.Named = c.take, true
	}
}

func (c *toldCheck) take(a schemas.Anomaly) error {
	if of := (schemas.ResourceKey{AccountID: a.AccountID, ResourceID: a.ResourceID}); of != c.of {
		c.of, c.told = of, c.told[:0]
	}
	if a.Month = schemas.MonthOf(a.Event.Time, c.Zone); a.Month == c.Month {
		c.told = append(c.told, a)
	}
	return nil
}

// resource compares those of one resource.
func (c *toldCheck) resource(d *schemas.Derived) error {
	if c == nil {
		return nil
	}
	key := schemas.ResourceKey{AccountID: d.AccountID, ResourceID: d.ResourceID}
	rows, err := take(c.keptCheck, c.rows, key, func(*KeptRow) bool { return true })
	if err != nil {
		return err
	}
	run := c.run.Number
	if len(rows) > 0 {
		run = rows[0].Run // those that stand are of one; a later one told nothing of it
	}
	told := c.told
	if key != c.of {
		told = nil
	}
	wants := make([]string, len(told))
	for i := range told {
		told[i].Run = run
		if wants[i], err = c.rows.form.Text(&told[i]); err != nil {
			return err
		}
	}
	c.Kept.Anomalies += int64(len(wants))
	return c.compare(key, rows, wants)
}

// compare compares rows with texts; of most resources they are the same.
func (c *toldCheck) compare(key schemas.ResourceKey, rows []KeptRow, wants []string) error {
	slices.Sort(wants)
	slices.SortFunc(rows, func(a, b KeptRow) int { return strings.Compare(a.Text, b.Text) })
	var lacks [][]string
	left := rows[:0]
	for i, w := 0, 0; i < len(rows) || w < len(wants); {
		switch {
		case w == len(wants) || i < len(rows) && rows[i].Text < wants[w]:
			left = append(left, rows[i])
			i++
		case i == len(rows) || rows[i].Text > wants[w]:
			lacks = append(lacks, []string{wants[w]})
			w++
		default:
			i, w = i+1, w+1
		}
	}
	return compareKept(c.keptCheck, c.rows, key, left, lacks)
}

// end tells of what is left, and of all that differs.
func (c *toldCheck) end(ctx context.Context) error {
	if c == nil {
		return nil
	}
	if err := pass(c.keptCheck, c.rows, func(*KeptRow) bool { return true }, func(schemas.ResourceKey) bool { return true }); err != nil {
		return err
	}
	return c.pairing.tell(ctx)
}

func (c *toldCheck) close() {
	if c != nil {
		_ = c.rows.Close() // what matters came from Next
	}
}
