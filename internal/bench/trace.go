package main

import (
	"context"
	"sync"
	"time"

	"github.com/reckon-billing/reckon/aggregate"
	"github.com/reckon-billing/reckon/internal/clickhouse"
	"github.com/reckon-billing/reckon/invoicer"
	"github.com/reckon-billing/reckon/schemas"
)

// part is one step of a seal and the time it took. Reading and writing include
// the time in which ClickHouse works and reckon waits.
type part struct {
	Name    string
	Seconds float64
}

// trace stands between the stages and what they use, and times every call. A seal
// writes each batch beside what comes next: what the writing side notes is its own,
// but for ended.
type trace struct {
	now func() time.Time
	// total is all of Derive, yield what of it the invoicer's side took.
	total, yield               time.Duration
	run, touched, snapshots    time.Duration
	lifecycle, usage, invoiced time.Duration
	// strays is how long stray copies were looked for, beside all else, and
	// certain how long the rest waited for that.
	strays, certain time.Duration
	// waited is how long a batch waited for the one before it to be written.
	waited time.Duration
	// derived is when Derive was over.
	derived time.Time

	periods, lines, states, proofs, invoices time.Duration

	mu sync.Mutex
	// ended is when the last batch was written.
	ended time.Time
}

// traced puts a trace into the invoicer.
func traced(v *invoicer.Invoicer, store *clickhouse.Store, zone *time.Location, now func() time.Time) *trace {
	t := &trace{now: now}
	v.RunLog, v.Late, v.Invoices = tracedBook{store, t}, tracedLate{store, t}, tracedLedger{store, t}
	v.Periods = tracedPeriods{&aggregate.Deriver{Source: tracedSource{store, t}, Zone: zone}, t}
	return t
}

// parts are the steps in the order of the data, which together are the whole, and
// then those of writing, which goes on beside them.
func (t *trace) parts(seconds float64) []part {
	reading := t.snapshots + t.lifecycle + t.usage
	waited := t.waited + max(0, t.lastWritten().Sub(t.derived))
	all := []part{
		{"write down run and seal", t.run.Seconds()},
		{"mark what late events touch", t.touched.Seconds()},
		{"read snapshots", t.snapshots.Seconds()},
		{"read lifecycle events", t.lifecycle.Seconds()},
		{"read usage", t.usage.Seconds()},
		{"fold into periods", (t.total - t.yield - reading).Seconds()},
		{"read what was invoiced", t.invoiced.Seconds()},
		{"price, sum, check", (t.yield - t.invoiced - t.waited).Seconds()},
		{"wait until no copies are stray", t.certain.Seconds()},
		{"wait until all is written", waited.Seconds()},
	}
	rest := seconds
	for _, p := range all {
		rest -= p.Seconds
	}
	return append(all,
		part{"the rest", rest},
		part{"beside: look for stray copies", t.strays.Seconds()},
		part{"beside: write periods", t.periods.Seconds()},
		part{"beside: write lines", t.lines.Seconds()},
		part{"beside: write snapshots", t.states.Seconds()},
		part{"beside: write hashes and item-minutes", t.proofs.Seconds()},
		part{"beside: write headers", t.invoices.Seconds()},
	)
}

func (t *trace) lastWritten() time.Time {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.ended
}

// since adds to a sum what has passed since an instant.
func (t *trace) since(began time.Time, sum *time.Duration) { *sum += t.now().Sub(began) }

type tracedBook struct {
	invoicer.RunLog
	t *trace
}

func (b tracedBook) Runs(ctx context.Context) ([]schemas.Run, error) {
	defer b.t.since(b.t.now(), &b.t.run)
	return b.RunLog.Runs(ctx)
}

func (b tracedBook) NextNumber(ctx context.Context) (int64, error) {
	defer b.t.since(b.t.now(), &b.t.run)
	return b.RunLog.NextNumber(ctx)
}

func (b tracedBook) AddRun(ctx context.Context, run schemas.Run) (schemas.Run, error) {
	defer b.t.since(b.t.now(), &b.t.run)
	return b.RunLog.AddRun(ctx, run)
}

func (b tracedBook) Seals(ctx context.Context) ([]invoicer.Seal, error) {
	defer b.t.since(b.t.now(), &b.t.run)
	return b.RunLog.Seals(ctx)
}

func (b tracedBook) AddSeal(ctx context.Context, seal invoicer.Seal) error {
	defer b.t.since(b.t.now(), &b.t.run)
	return b.RunLog.AddSeal(ctx, seal)
}

type tracedLate struct {
	invoicer.Late
	t *trace
}

func (l tracedLate) MarkTouched(ctx context.Context, run schemas.Run, since schemas.Cutoff, sealedTo time.Time) (int64, error) {
	defer l.t.since(l.t.now(), &l.t.touched)
	return l.Late.MarkTouched(ctx, run, since, sealedTo)
}

type tracedPeriods struct {
	invoicer.Deriver
	t *trace
}

func (p tracedPeriods) FindStrays(ctx context.Context, plan schemas.Derivation) func() (schemas.StrayWinner, error) {
	wait := p.Deriver.FindStrays(ctx, plan)
	return func() (schemas.StrayWinner, error) {
		began := p.t.now()
		strays, err := wait()
		waited := p.t.now().Sub(began)
		p.t.certain += waited
		if p.t.derived.IsZero() {
			p.t.yield, p.t.total = p.t.yield-waited, p.t.total-waited
		} else {
			p.t.derived = p.t.derived.Add(waited)
		}
		return strays, err
	}
}

func (p tracedPeriods) Derive(ctx context.Context, plan schemas.Derivation, yield func(schemas.Derived) error) error {
	began := p.t.now()
	defer func() {
		p.t.derived = p.t.now()
		p.t.total += p.t.derived.Sub(began)
	}()
	return p.Deriver.Derive(ctx, plan, func(d schemas.Derived) error {
		began := p.t.now()
		defer p.t.since(began, &p.t.yield)
		err := yield(d)
		// Pricing one resource is short, so a batch that was written meanwhile was
		// waited for.
		p.t.waited += max(0, p.t.lastWritten().Sub(began))
		return err
	})
}

// tracedLedger writes each kind of rows by itself, in the order of the ledger.
type tracedLedger struct {
	invoicer.InvoiceStore
	t *trace
}

func (l tracedLedger) Write(ctx context.Context, b invoicer.Batch) error {
	for _, w := range []struct {
		batch invoicer.Batch
		sum   *time.Duration
	}{
		{invoicer.Batch{Run: b.Run, Periods: b.Periods}, &l.t.periods},
		{invoicer.Batch{Run: b.Run, Lines: b.Lines}, &l.t.lines},
		{invoicer.Batch{Run: b.Run, Snapshots: b.Snapshots}, &l.t.states},
		{invoicer.Batch{Run: b.Run, Hashes: b.Hashes, Minutes: b.Minutes}, &l.t.proofs},
		{invoicer.Batch{Run: b.Run, Invoices: b.Invoices}, &l.t.invoices},
	} {
		began := l.t.now()
		if err := l.InvoiceStore.Write(ctx, w.batch); err != nil {
			return err
		}
		l.t.since(began, w.sum)
	}
	l.t.mu.Lock()
	defer l.t.mu.Unlock()
	l.t.ended = l.t.now()
	return nil
}

func (l tracedLedger) Invoiced(ctx context.Context, run int64, accounts []string) (schemas.Cursor[schemas.Line], error) {
	defer l.t.since(l.t.now(), &l.t.invoiced)
	c, err := l.InvoiceStore.Invoiced(ctx, run, accounts)
	return timed[schemas.Line]{c, l.t, &l.t.invoiced}, err
}

type tracedSource struct {
	aggregate.Source
	t *trace
}

func (s tracedSource) Snapshots(ctx context.Context, scope aggregate.Scope) (schemas.Cursor[schemas.Snapshot], error) {
	defer s.t.since(s.t.now(), &s.t.snapshots)
	c, err := s.Source.Snapshots(ctx, scope)
	return timed[schemas.Snapshot]{c, s.t, &s.t.snapshots}, err
}

func (s tracedSource) Events(ctx context.Context, scope aggregate.Scope, what aggregate.What) (schemas.Cursor[aggregate.Rows], error) {
	sum := &s.t.lifecycle
	if what == aggregate.Usage {
		sum = &s.t.usage
	}
	defer s.t.since(s.t.now(), sum)
	c, err := s.Source.Events(ctx, scope, what)
	return timed[aggregate.Rows]{c, s.t, sum}, err
}

func (s tracedSource) Strays(ctx context.Context, cutoff schemas.Cutoff) (schemas.Cursor[aggregate.StrayCopy], error) {
	defer s.t.since(s.t.now(), &s.t.strays)
	c, err := s.Source.Strays(ctx, cutoff)
	return timed[aggregate.StrayCopy]{c, s.t, &s.t.strays}, err
}

// timed times a cursor.
type timed[T any] struct {
	schemas.Cursor[T]
	t   *trace
	sum *time.Duration
}

// Next hands out the next row.
func (c timed[T]) Next() (*T, error) {
	began := c.t.now()
	row, err := c.Cursor.Next()
	c.t.since(began, c.sum)
	return row, err
}
