package audit

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing/synctest"
	"time"

	"github.com/reckon-billing/reckon/aggregate"
	"github.com/reckon-billing/reckon/invoicer"
	"github.com/reckon-billing/reckon/schemas"
	"github.com/reckon-billing/reckon/schemas/tables"
)

// stage gives actors their turns, one call to the store at a time, so that what happens
// follows from the turns alone. It works in a bubble of synctest only: there it is
// known when every goroutine of every actor waits.
type stage struct {
	mu     sync.Mutex
	actors []*actor
	// calls are those that had their turn, as they came; whose is the last's.
	calls []string
	whose *actor
	// holds is asked after every call for what must always be so; fault is what it said
	// first.
	holds func() error
	fault error
}

// actor is somebody whose every call to the store waits for its turn.
type actor struct {
	name  string
	stage *stage
	// waiting are its calls: a runner reads and writes side by side.
	waiting     []call
	dead, ended bool
	err         error
	// sawFirst and saw are the runs at the first and the last of its looks, noted are the
	// ends that it noted first.
	sawFirst, saw []schemas.Run
	looks         int
	noted         []schemas.PartitionEnd
}

type call struct {
	what string
	turn chan fate
}

// fate is what becomes of a call.
type fate int

const (
	lives fate = iota
	// diesBefore and diesAfter are a kill before the call had an effect, and after it,
	// when nobody hears of it any more.
	diesBefore
	diesAfter
)

// turn is so many calls of one actor; it then dies at the next, unless it lives.
type turn struct {
	who, calls int
	then       fate
}

var errKilled = errors.New("was killed")

// enter lets an actor begin. It waits for its turn at its first call.
func (s *stage) enter(name string, act func(*actor) error) *actor {
	a := &actor{name: name, stage: s}
	s.actors = append(s.actors, a)
	go func() {
		err := act(a)
		s.mu.Lock()
		defer s.mu.Unlock()
		a.ended, a.err = true, err
	}()
	return a
}

// play gives the turns, and then everybody in order what is left of him.
func (s *stage) play(turns []turn) {
	for _, t := range turns {
		for range t.calls {
			s.step(t.who, lives)
		}
		if t.then != lives {
			s.step(t.who, t.then)
		}
	}
	for s.step(0, lives) {
	}
}

// step gives one call its turn, of the actor or of the first after it that has one. It
// is false when all have ended.
func (s *stage) step(who int, f fate) bool {
	for {
		synctest.Wait()
		left := false
		for i := range s.actors {
			a := s.actors[(who+i)%len(s.actors)]
			if len(a.waiting) > 0 {
				first := slices.MinFunc(a.waiting, func(x, y call) int { return strings.Compare(x.what, y.what) })
				a.waiting = slices.DeleteFunc(a.waiting, func(c call) bool { return c == first })
				first.turn <- f
				synctest.Wait()
				return true
			}
			left = left || !a.ended
		}
		if !left {
			return false
		}
		time.Sleep(time.Second) // somebody waits for ingest
	}
}

// do waits for a turn, and then has the effect or dies.
func (a *actor) do(what string, effect func() error) error {
	a.stage.mu.Lock()
	if a.dead {
		a.stage.mu.Unlock()
		return errKilled
	}
	c := call{what, make(chan fate)}
	a.waiting = append(a.waiting, c)
	a.stage.mu.Unlock()

	f := <-c.turn
	a.stage.mu.Lock()
	defer a.stage.mu.Unlock()
	if a.dead {
		return errKilled // beside a call at which it died
	}
	switch f {
	case diesBefore:
		a.tell("is killed before: " + what)
	case diesAfter:
		_ = effect() // nobody hears of it
		a.tell("is killed after: " + what)
	default:
		err := effect()
		if err != nil {
			what += ": " + err.Error()
		}
		a.tell(what)
		return err
	}
	a.dead = true
	for _, other := range a.waiting {
		close(other.turn)
	}
	a.waiting = nil
	return errKilled
}

// tell notes what an actor did; what it did in a row stands in one line.
func (a *actor) tell(what string) {
	s := a.stage
	if s.holds != nil && s.fault == nil {
		if s.fault = s.holds(); s.fault != nil {
			what += " (AND NOW " + s.fault.Error() + ")"
		}
	}
	if s.whose == a {
		s.calls[len(s.calls)-1] += "; " + what
		return
	}
	s.calls, s.whose = append(s.calls, a.name+": "+what), a
}

// hands are an actor's on a memory: they make it a log and a store that it may use in
// its turns only.
type hands struct {
	*actor
	m *memory
}

func inTurn[T any](h hands, what string, effect func() (T, error)) (out T, err error) {
	err = h.do(what, func() (err error) {
		out, err = effect()
		return err
	})
	return out, err
}

func (h hands) Ends(ctx context.Context) ([]schemas.PartitionEnd, error) {
	return inTurn(h, "notes the ends", func() ([]schemas.PartitionEnd, error) {
		ends, err := h.m.Ends(ctx)
		if h.noted == nil {
			h.noted = ends
		}
		return ends, err
	})
}

func (h hands) Stored(ctx context.Context) ([]schemas.PartitionEnd, error) { return h.m.Stored(ctx) }

func (h hands) NextNumber(ctx context.Context) (int64, error) {
	return inTurn(h, "reads the next number", func() (int64, error) { return h.m.NextNumber(ctx) })
}

func (h hands) Runs(ctx context.Context) ([]schemas.Run, error) {
	return inTurn(h, "reads the runs", func() (_ []schemas.Run, err error) {
		h.saw, err = h.m.Runs(ctx)
		if h.looks++; h.looks == 1 {
			h.sawFirst = h.saw
		}
		return h.saw, err
	})
}

func (h hands) AddRun(ctx context.Context, run schemas.Run) (schemas.Run, error) {
	return inTurn(h, fmt.Sprintf("RECORDS run %d of %s", run.Number, run.Month), func() (schemas.Run, error) { return h.m.AddRun(ctx, run) })
}

func (h hands) Seals(ctx context.Context) ([]invoicer.Seal, error) {
	return inTurn(h, "reads the seals", func() ([]invoicer.Seal, error) { return h.m.Seals(ctx) })
}

func (h hands) AddSeal(ctx context.Context, seal invoicer.Seal) error {
	return h.do(fmt.Sprintf("SEALS run %d, parked %v", seal.Run, seal.Parked), func() error { return h.m.AddSeal(ctx, seal) })
}

func (h hands) MarkTouched(ctx context.Context, run schemas.Run, since schemas.Cutoff, to time.Time) (int64, error) {
	return inTurn(h, fmt.Sprintf("marks what run %d touches", run.Number), func() (int64, error) { return h.m.MarkTouched(ctx, run, since, to) })
}

// Write is one write of the store, cut where a process can die: between its inserts.
func (h hands) Write(ctx context.Context, b invoicer.Batch) error {
	for _, part := range []struct {
		what string
		rows int
		of   invoicer.Batch
	}{
		{"anomalies", len(b.Anomalies), invoicer.Batch{Anomalies: b.Anomalies}},
		{"periods", len(b.Periods), invoicer.Batch{Periods: b.Periods}},
		{"lines", len(b.Lines), invoicer.Batch{Lines: b.Lines}},
		{"snapshots", len(b.Snapshots), invoicer.Batch{Snapshots: b.Snapshots}},
		{"item-minutes", len(b.Minutes), invoicer.Batch{Minutes: b.Minutes}},
		{"hashes", len(b.Hashes), invoicer.Batch{Hashes: b.Hashes}},
		{"headers", len(b.Invoices), invoicer.Batch{Invoices: b.Invoices}},
	} {
		if part.rows == 0 {
			continue
		}
		part.of.Run = b.Run
		if err := h.do(fmt.Sprintf("WRITES %d %s of run %d", part.rows, part.what, b.Run.Number), func() error { return h.m.Write(ctx, part.of) }); err != nil {
			return err
		}
	}
	return nil
}

func (h hands) Tell(ctx context.Context, run int64) error {
	return h.do(fmt.Sprintf("NOTES that all anomalies of run %d are told", run), func() error { return h.m.Tell(ctx, run) })
}

func (h hands) Invoiced(ctx context.Context, run int64, accounts []string) (schemas.Cursor[schemas.Line], error) {
	return inTurn(h, "reads what was invoiced", func() (schemas.Cursor[schemas.Line], error) { return h.m.Invoiced(ctx, run, accounts) })
}

func (h hands) AllInvoiced(ctx context.Context, run int64) (schemas.Cursor[schemas.Line], error) {
	return inTurn(h, "reads all that was invoiced", func() (schemas.Cursor[schemas.Line], error) { return h.m.AllInvoiced(ctx, run) })
}

func (h hands) Written(ctx context.Context, run int64, accounts []string) (schemas.Cursor[tables.RowKey], error) {
	return inTurn(h, fmt.Sprintf("reads what run %d wrote of %v", run, accounts), func() (schemas.Cursor[tables.RowKey], error) { return h.m.Written(ctx, run, accounts) })
}

func (h hands) Forget(ctx context.Context, run int64, keys []tables.RowKey) error {
	for _, k := range keys { // each table's rows go by a statement of their own
		if err := h.do(fmt.Sprintf("FORGETS a row of run %d in %s", run, k.Table), func() error { return h.m.Forget(ctx, run, []tables.RowKey{k}) }); err != nil {
			return err
		}
	}
	return nil
}

func (h hands) Events(ctx context.Context, s aggregate.Scope, what aggregate.What) (schemas.Cursor[aggregate.Rows], error) {
	return inTurn(h, fmt.Sprintf("reads events (%d, %d)", what, s.Touched), func() (schemas.Cursor[aggregate.Rows], error) { return h.m.Events(ctx, s, what) })
}

func (h hands) Strays(ctx context.Context, cutoff schemas.Cutoff) (schemas.Cursor[aggregate.StrayCopy], error) {
	return inTurn(h, "looks for stray copies", func() (schemas.Cursor[aggregate.StrayCopy], error) { return h.m.Strays(ctx, cutoff) })
}

func (h hands) Snapshots(ctx context.Context, s aggregate.Scope) (schemas.Cursor[schemas.Snapshot], error) {
	return inTurn(h, fmt.Sprintf("reads snapshots (%d)", s.Touched), func() (schemas.Cursor[schemas.Snapshot], error) { return h.m.Snapshots(ctx, s) })
}
