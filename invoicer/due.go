package invoicer

import (
	"context"
	"fmt"
	"time"

	"github.com/reckon-billing/reckon/schemas"
)

// NotDueError says that a month cannot be sealed yet.
type NotDueError struct {
	Month schemas.Month
	// Due is when it can be, in the billing zone.
	Due time.Time
}

func (e *NotDueError) Error() string {
	return fmt.Sprintf("month %s is not due yet: it can be sealed from %s on", e.Month, e.Due.Format(time.RFC3339))
}

// Due is when the month can be sealed: its end and the grace, in the billing zone.
func (v *Invoicer) Due(month schemas.Month) time.Time {
	return month.End(v.Zone).Add(v.Grace).In(v.Zone)
}

// lastDue is the newest month that is due.
func (v *Invoicer) lastDue() schemas.Month {
	last := schemas.MonthOf(v.Now().Add(-v.Grace), v.Zone).Prev()
	if v.Due(last).After(v.Now()) {
		last = last.Prev()
	}
	return last
}

// EmptyMonthError says that billing would begin with a month before whose end no event
// is stored.
type EmptyMonthError struct{ Month schemas.Month }

func (e *EmptyMonthError) Error() string {
	return fmt.Sprintf("no event is stored whose time is before the end of %s, and the first seal fixes the month with which billing begins", e.Month)
}

// refuseEmpty keeps a mistyped month from becoming the one with which billing begins,
// once ingest has stored what there is.
func (s *session) refuseEmpty(ctx context.Context, month schemas.Month) error {
	v := s.v
	if len(s.books.runs) > 0 || v.Replay || v.Empty || v.Events == nil {
		return nil
	}
	if _, err := v.noteCutoff(ctx); err != nil {
		return err
	}
	if has, err := v.Events.HasEventBefore(ctx, month.End(v.Zone)); err != nil || has {
		return err
	}
	if err := s.look(ctx); err != nil || len(s.books.runs) > 0 {
		return err // somebody else's seal was the first meanwhile
	}
	return &EmptyMonthError{month}
}

// beginByItself finds the month with which billing begins when nobody has said so: that
// in which the first event was stored. It tells whether it is known; before the first
// event it is not.
func (s *session) beginByItself(ctx context.Context) (known bool, err error) {
	if len(s.books.runs) > 0 || !s.begins.IsZero() || s.v.Events == nil {
		return true, nil
	}
	at, err := s.v.Events.FirstStored(ctx)
	if err != nil || at.IsZero() {
		return false, err
	}
	s.begins = schemas.MonthOf(at, s.v.Zone)
	return true, nil
}

// next is the first month that is not sealed; before the first seal it is the one with
// which billing begins or, if that is not known, the given one.
func (b *books) next(begins, otherwise schemas.Month) schemas.Month {
	if last := LastMonth(b.runs); !last.IsZero() {
		return last.Next()
	}
	return b.first(begins, otherwise)
}
