package invoicer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/reckon-billing/reckon/schemas"
)

// Invoicer seals months.
type Invoicer struct {
	Log      Log
	Events   Events // nil: a first seal is not asked whether anything is stored
	RunLog   RunLog
	Late     Late
	Periods  Deriver
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
	// Empty lets billing begin with a month before whose end no event is stored.
	Empty bool
	// BatchRows is how many rows are written together, 0 for 50,000; two such batches
	// are held.
	BatchRows int
	Now       func() time.Time
	// Waiting is told, again and again, which partitions ingest has not stored
	// yet while a seal waits for them, and once of none when that is over.
	Waiting func([]Lag)
	// Progress is told how far a run has come.
	Progress func(run schemas.Run, totals Totals)
}

// SealDue finishes what was begun and seals every due month that is not sealed,
// oldest first. Without the setting billing begins with the month in which the first
// event was stored: none that had ended by then is sealed by itself (contract 5.0).
func (v *Invoicer) SealDue(ctx context.Context) ([]Seal, error) {
	s := v.session()
	err := s.sealDue(ctx)
	return s.done, err
}

// Seal finishes what was begun and then seals the month, and every earlier one
// that is not, oldest first. A first month before whose end no event is stored is an
// [*EmptyMonthError], unless Empty. Of a month that is sealed already it settles the
// late events. It returns the seals of the runs that it carried out, those among
// them that somebody else recorded.
func (v *Invoicer) Seal(ctx context.Context, month schemas.Month) ([]Seal, error) {
	if due := v.Due(month); !v.Replay && due.After(v.Now()) {
		return nil, &NotDueError{month, due}
	}
	s := v.session()
	err := s.seal(ctx, month)
	return s.done, err
}

// SettleAll finishes what was begun and then derives every sealed month of every
// resource again, whether or not an event of it came late, and settles what differs
// from what was invoiced (contract 2): what is sealed may have been derived from less
// than was stored. Of nothing sealed it is [ErrNothingSealed].
func (v *Invoicer) SettleAll(ctx context.Context) ([]Seal, error) {
	s := v.session()
	err := s.look(ctx)
	if err == nil && len(s.books.runs) == 0 {
		err = ErrNothingSealed
	}
	if err == nil {
		err = s.settle(ctx, true)
	}
	return s.done, err
}

// ErrNothingSealed says that there is no sealed month to be settled.
var ErrNothingSealed = errors.New("no month is sealed yet")

// session is the way of one command through the books. It looks into them, carries out
// what stands there undone, writes the next run down and looks again: others do the
// same meanwhile, so that what is next is asked of the books after every run, never
// remembered. Whoever loses the race for a number so carries the winner's run out, and
// is then where the winner is.
type session struct {
	v *Invoicer
	// books are as they stood at the last look.
	books *books
	// begins is the month with which billing begins: as set or, where the schedule asks,
	// by itself. Zero: with that of the first seal.
	begins schemas.Month
	// tried are the runs that the session carried out, each once: what it parked stays
	// parked. done are their seals, in that order.
	tried map[int64]bool
	done  []Seal
}

func (v *Invoicer) session() *session {
	return &session{v: v, begins: v.FirstMonth, tried: map[int64]bool{}}
}

// sealDue is [Invoicer.SealDue].
func (s *session) sealDue(ctx context.Context) error {
	if err := s.look(ctx); err != nil {
		return err
	}
	if known, err := s.beginByItself(ctx); err != nil || !known {
		return err
	}
	return s.sealUpTo(ctx, s.v.lastDue())
}

// seal is [Invoicer.Seal] of a month that is due.
func (s *session) seal(ctx context.Context, month schemas.Month) error {
	if err := s.look(ctx); err != nil {
		return err
	}
	if err := s.refuseBeforeFirst(month); err != nil {
		return err
	}
	if err := s.refuseEmpty(ctx, month); err != nil {
		return err
	}
	if last := LastMonth(s.books.runs); !last.IsZero() && !last.Before(month) {
		return s.settle(ctx, false)
	}
	if err := s.sealUpTo(ctx, month); err != nil {
		return err
	}
	return s.refuseBeforeFirst(month) // somebody else's first run may have fixed a later one meanwhile
}

// refuseBeforeFirst refuses a month with which billing has not begun.
func (s *session) refuseBeforeFirst(month schemas.Month) error {
	if first := s.books.first(s.v.FirstMonth, month); month.Before(first) {
		return beforeFirst(month, first)
	}
	return nil
}

// look reads the books and carries out, oldest first, what stands there undone: runs
// without a seal, and parked accounts. Settings other than the first run's end it
// before that, whoever recorded that run and when.
func (s *session) look(ctx context.Context) error {
	b, err := s.v.open(ctx)
	if err != nil {
		return err
	}
	s.books = b
	for _, run := range b.runs {
		only, some := b.undone(run.Number)
		if s.tried[run.Number] || !some {
			continue
		}
		s.tried[run.Number] = true
		again, err := s.v.carryOut(ctx, b, run, only)
		if err != nil {
			return err
		}
		s.done = append(s.done, again)
	}
	return nil
}

// sealUpTo seals the months that are not, oldest first, up to the last.
func (s *session) sealUpTo(ctx context.Context, last schemas.Month) error {
	for {
		month := s.books.next(s.begins, last)
		if last.Before(month) {
			return nil
		}
		n, err := s.v.noteCutoff(ctx)
		if err != nil {
			return err
		}
		if len(s.books.runs) == 0 && !s.v.Replay && s.v.FirstMonth.IsZero() {
			if refused := s.v.refuseEarlierLife(ctx, month, n.cutoff); refused != nil {
				if err := s.look(ctx); err != nil || len(s.books.runs) == 0 {
					return cmp.Or(err, refused)
				}
				continue // somebody else's seal was the first meanwhile
			}
		}
		if _, err := s.record(ctx, month, n); err != nil {
			return err
		}
	}
}

// settle corrects sealed months by what came late, if anything came at all, or corrects
// all of them. A run that somebody else recorded first may have been noted earlier than
// this was asked for, or not be for all.
func (s *session) settle(ctx context.Context, all bool) error {
	for ours := false; !ours; {
		n, err := s.v.noteCutoff(ctx)
		if err != nil {
			return err
		}
		if !all && n.cutoff.Equal(s.books.runs[len(s.books.runs)-1].Cutoff) {
			return nil
		}
		n.settleAll = all
		if ours, err = s.record(ctx, LastMonth(s.books.runs), n); err != nil {
			return err
		}
	}
	return nil
}

// record writes the next run down, or finds that somebody else did, and looks again,
// which carries out either. It tells whether the run is ours.
func (s *session) record(ctx context.Context, month schemas.Month, n noted) (ours bool, err error) {
	before := s.books.newest()
	if ours, err = s.v.recordRun(ctx, s.books, month, n); err != nil {
		return false, err
	}
	if err := s.look(ctx); err != nil {
		return ours, err
	}
	if s.books.newest() == before {
		return ours, fmt.Errorf("a run of %s was written down after run %d, and is not among the runs", month, before)
	}
	return ours, nil
}
