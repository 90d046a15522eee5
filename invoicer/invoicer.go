package invoicer

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/reckon-billing/reckon/schemas"
)

// Invoicer seals months.
type Invoicer struct {
	Log      Log
	RunLog   RunLog
	Late     Late
	Periods  Periods
	Invoices InvoiceStore
	Metrics  *Metrics

	Currency schemas.Currency
	// Zone is the billing zone; its String is the IANA name that runs record.
	Zone *time.Location
	// FirstMonth is the setting; zero for its default.
	FirstMonth schemas.Month
	// Grace is how long after its end a month becomes due.
	Grace time.Duration
	// Replay seals what it is told, ended or not, and lets billing begin with
	// FirstMonth whatever was lived before (contract 7).
	Replay bool
	Now    func() time.Time
	// Waiting is told, again and again, which partitions ingest has not stored
	// yet while a seal waits for them.
	Waiting func([]Lag)
	// Progress is told how far a run has come.
	Progress func(run schemas.Run, totals Totals)
}

// Lag is a partition that ingest has not stored up to the noted end.
type Lag struct {
	Topic         string
	Partition     int32
	Stored, Noted int64
}

// NotDueError says that a month cannot be sealed yet.
type NotDueError struct {
	Month schemas.Month
	// Due is when it can be, in the billing zone.
	Due time.Time
}

func (e *NotDueError) Error() string {
	return fmt.Sprintf("month %s is not due yet: it can be sealed from %s on", e.Month, e.Due.Format(time.RFC3339))
}

// SettingError says that a setting does not fit what the first seal fixed.
type SettingError struct{ Setting, Detail string }

func (e *SettingError) Error() string { return e.Setting + ": " + e.Detail }

// Due is when the month can be sealed: its end and the grace, in the billing zone.
func (v *Invoicer) Due(month schemas.Month) time.Time {
	return month.End(v.Zone).Add(v.Grace).In(v.Zone)
}

// SealDue finishes what was begun and seals every due month that is not sealed,
// oldest first. Before the first seal the last due month is the first; while
// nothing at all lies in the log, that seal is left for later.
func (v *Invoicer) SealDue(ctx context.Context) ([]Seal, error) {
	b, err := v.open(ctx)
	if err != nil {
		return nil, err
	}
	if len(b.runs) == 0 && v.FirstMonth.IsZero() {
		if empty, err := v.emptyLog(ctx); err != nil || empty {
			return nil, err
		}
	}
	done, err := v.finish(ctx, b)
	if err != nil {
		return done, err
	}
	last := schemas.MonthOf(v.Now().Add(-v.Grace), v.Zone).Prev()
	if v.Due(last).After(v.Now()) {
		last = last.Prev()
	}
	if next, begun := b.next(v.FirstMonth, last); begun && last.Before(next) {
		return done, nil
	}
	more, err := v.sealUpTo(ctx, b, last)
	return append(done, more...), err
}

func (v *Invoicer) emptyLog(ctx context.Context) (bool, error) {
	ends, err := v.Log.Ends(ctx)
	if err != nil {
		return false, fmt.Errorf("look whether anything lies in the log: %w", err)
	}
	return !slices.ContainsFunc(ends, func(e schemas.PartitionEnd) bool { return e.End > 0 }), nil
}

// Seal finishes what was begun and then seals the month, and every earlier one
// that is not, oldest first. Of a month that is sealed already it settles the
// late events. It returns the seals of the runs that it carried out.
func (v *Invoicer) Seal(ctx context.Context, month schemas.Month) ([]Seal, error) {
	if due := v.Due(month); !v.Replay && due.After(v.Now()) {
		return nil, &NotDueError{month, due}
	}
	b, err := v.open(ctx)
	if err != nil {
		return nil, err
	}
	if first := b.first(v.FirstMonth, month); month.Before(first) {
		return nil, &SettingError{"billing.first_month", fmt.Sprintf("billing begins with %s: %s is before it", first, month)}
	}
	done, err := v.finish(ctx, b)
	if err != nil {
		return done, err
	}
	var more []Seal
	if last := b.lastSealed(); !last.IsZero() && !last.Before(month) {
		more, err = v.settle(ctx, b)
	} else {
		more, err = v.sealUpTo(ctx, b, month)
	}
	return append(done, more...), err
}

// sealUpTo seals the months that are not, up to the given one.
func (v *Invoicer) sealUpTo(ctx context.Context, b *books, month schemas.Month) ([]Seal, error) {
	next, _ := b.next(v.FirstMonth, month)
	var done []Seal
	for m := next; !month.Before(m); m = m.Next() {
		seal, err := v.begin(ctx, b, m)
		if err != nil {
			return done, err
		}
		done = append(done, seal)
	}
	return done, nil
}

// settle corrects sealed months by what came late, if anything came at all.
func (v *Invoicer) settle(ctx context.Context, b *books) ([]Seal, error) {
	cutoff, createdAt, err := v.note(ctx)
	if err != nil {
		return nil, err
	}
	if cutoff.Equal(b.runs[len(b.runs)-1].Cutoff) {
		return nil, nil
	}
	seal, err := v.write(ctx, b, b.lastSealed(), cutoff, createdAt)
	if err != nil {
		return nil, err
	}
	return []Seal{seal}, nil
}

// begin notes the ends, waits for ingest, writes the run down and carries it out.
func (v *Invoicer) begin(ctx context.Context, b *books, month schemas.Month) (Seal, error) {
	cutoff, createdAt, err := v.note(ctx)
	if err != nil {
		return Seal{}, err
	}
	if len(b.runs) == 0 && !v.Replay && v.FirstMonth.IsZero() {
		if err := v.refuseEarlierLife(ctx, month, cutoff); err != nil {
			return Seal{}, err
		}
	}
	return v.write(ctx, b, month, cutoff, createdAt)
}

func (v *Invoicer) write(ctx context.Context, b *books, month schemas.Month, cutoff schemas.Cutoff, createdAt time.Time) (Seal, error) {
	run := schemas.Run{
		Number: int64(len(b.runs)) + 1, Month: month, CreatedAt: createdAt, Cutoff: cutoff,
		FirstMonth: b.first(v.FirstMonth, month), Currency: v.Currency.Code, Zone: v.Zone.String(),
	}
	stored, err := v.RunLog.AddRun(ctx, run)
	if err != nil {
		return Seal{}, fmt.Errorf("write down run %d of %s: %w", run.Number, month, err)
	}
	b.runs = append(b.runs, stored)
	return v.carryOut(ctx, b, len(b.runs)-1, nil)
}

// Note waits until ingest has stored all that lies in the log now, and returns
// where that ends.
func (v *Invoicer) Note(ctx context.Context) (schemas.Cutoff, error) {
	cutoff, _, err := v.note(ctx)
	return cutoff, err
}

// note waits until ingest has stored all that lay before the instant of noting.
func (v *Invoicer) note(ctx context.Context) (schemas.Cutoff, time.Time, error) {
	createdAt := v.Now().UTC().Truncate(time.Millisecond)
	ends, err := v.Log.Ends(ctx)
	if err != nil {
		return nil, createdAt, fmt.Errorf("note the ends of the log: %w", err)
	}
	cutoff := schemas.NewCutoff(ends)
	for {
		stored, err := v.Log.Stored(ctx)
		if err != nil {
			return nil, createdAt, fmt.Errorf("ask how far ingest has stored: %w", err)
		}
		lagging := lagsOf(cutoff, stored)
		if len(lagging) == 0 {
			return cutoff, createdAt, nil
		}
		if v.Waiting != nil {
			v.Waiting(lagging)
		}
		if err := pause(ctx, pollEvery); err != nil {
			return nil, createdAt, fmt.Errorf("wait for ingest to store %s: %w", sayLags(lagging), err)
		}
	}
}

// pollEvery is how often a waiting seal looks again.
const pollEvery = 50 * time.Millisecond

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

func lagsOf(cutoff schemas.Cutoff, stored []schemas.PartitionEnd) []Lag {
	type partition struct {
		topic  string
		number int32
	}
	at := make(map[partition]int64, len(stored))
	for _, s := range stored {
		at[partition{s.Topic, s.Partition}] = s.End
	}
	var lags []Lag
	for _, end := range cutoff {
		if have := at[partition{end.Topic, end.Partition}]; have < end.End {
			lags = append(lags, Lag{end.Topic, end.Partition, have, end.End})
		}
	}
	return lags
}

func sayLags(lags []Lag) string {
	said := make([]string, len(lags))
	for i, l := range lags {
		said[i] = fmt.Sprintf("%s/%d (stored to %d of %d)", l.Topic, l.Partition, l.Stored, l.Noted)
	}
	return strings.Join(said, ", ")
}

// refuseEarlierLife keeps a first seal without the setting from forgetting to
// bill what was lived before (contract 5.0).
func (v *Invoicer) refuseEarlierLife(ctx context.Context, month schemas.Month, cutoff schemas.Cutoff) error {
	begin := schemas.Month{Year: 2000, Month: time.January}
	plan := schemas.Derivation{Run: schemas.Run{Number: 1, Cutoff: cutoff}, First: begin, Last: month.Prev(), New: true, FullHistory: true}
	found := errors.New("found")
	var earliest *schemas.Period
	err := v.Periods.Derive(ctx, plan, func(d schemas.Derived) error {
		if d.Err == nil && len(d.Periods) > 0 {
			earliest = &d.Periods[0]
			return found
		}
		return nil
	})
	switch {
	case errors.Is(err, found):
		return &SettingError{"billing.first_month", fmt.Sprintf(
			"is not set, and resource %q of account %q lived in %s, before %s: set the month with which billing begins (RECKON_BILLING_FIRST_MONTH=%s bills from %s on)",
			earliest.ResourceID, earliest.AccountID, earliest.Month, month, month, month)}
	case err != nil:
		return fmt.Errorf("look for resources that lived before %s: %w", month, err)
	}
	return nil
}

// books are the runs and seals as they stand.
type books struct {
	runs  []schemas.Run
	seals map[int64]Seal
}

// open reads the books and compares the settings with what the first run fixed.
func (v *Invoicer) open(ctx context.Context) (*books, error) {
	runs, err := v.RunLog.Runs(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the runs: %w", err)
	}
	seals, err := v.RunLog.Seals(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the seals: %w", err)
	}
	b := &books{runs: runs, seals: map[int64]Seal{}}
	for _, s := range seals {
		b.seals[s.Run] = s
	}
	return b, v.checkFixed(b)
}

// CheckSettings refuses settings other than those that the first seal fixed.
func (v *Invoicer) CheckSettings(ctx context.Context) error {
	_, err := v.open(ctx)
	return err
}

func (v *Invoicer) checkFixed(b *books) error {
	if len(b.runs) == 0 {
		return nil
	}
	fixed := b.runs[0]
	differs := func(setting, is, was string) error {
		return &SettingError{setting, fmt.Sprintf("is %s, but the first seal fixed %s: set it back", is, was)}
	}
	if fixed.Currency != v.Currency.Code {
		return differs("billing.currency", v.Currency.Code, fixed.Currency)
	}
	if fixed.Zone != v.Zone.String() {
		return differs("billing.zone", v.Zone.String(), fixed.Zone)
	}
	if !v.FirstMonth.IsZero() && fixed.FirstMonth != v.FirstMonth {
		return differs("billing.first_month", v.FirstMonth.String(), fixed.FirstMonth.String())
	}
	return nil
}

// lastSealed is the newest month of any run; zero before the first.
func (b *books) lastSealed() schemas.Month {
	var last schemas.Month
	for _, r := range b.runs {
		if last.Before(r.Month) {
			last = r.Month
		}
	}
	return last
}

// first is billing's first month: as fixed, as set, or the given one.
func (b *books) first(setting, otherwise schemas.Month) schemas.Month {
	switch {
	case len(b.runs) > 0:
		return b.runs[0].FirstMonth
	case !setting.IsZero():
		return setting
	}
	return otherwise
}

// next is the first month that is not sealed, and whether that is known: before
// the first seal without the setting it is the given one.
func (b *books) next(setting, otherwise schemas.Month) (schemas.Month, bool) {
	if last := b.lastSealed(); !last.IsZero() {
		return last.Next(), true
	}
	return b.first(setting, otherwise), !setting.IsZero()
}

// finish carries out, oldest first, what earlier attempts left: runs without a
// seal, and parked accounts.
func (v *Invoicer) finish(ctx context.Context, b *books) ([]Seal, error) {
	var done []Seal
	for i, run := range b.runs {
		seal, sealed := b.seals[run.Number]
		if sealed && len(seal.Parked) == 0 {
			continue
		}
		var only []string
		for _, p := range seal.Parked {
			only = append(only, p.AccountID)
		}
		slices.Sort(only)
		again, err := v.carryOut(ctx, b, i, only)
		if err != nil {
			return done, err
		}
		done = append(done, again)
	}
	return done, nil
}
