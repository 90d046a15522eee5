package invoicer

import (
	"context"
	"fmt"
	"slices"
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

func (v *Invoicer) emptyLog(ctx context.Context) (bool, error) {
	ends, err := v.Log.Ends(ctx)
	if err != nil {
		return false, fmt.Errorf("look whether anything lies in the log: %w", err)
	}
	return !slices.ContainsFunc(ends, func(e schemas.PartitionEnd) bool { return e.End > 0 }), nil
}

// next is the first month that is not sealed; before the first seal without the
// setting it is the given one.
func (b *books) next(setting, otherwise schemas.Month) schemas.Month {
	if last := lastMonth(b.runs); !last.IsZero() {
		return last.Next()
	}
	return b.first(setting, otherwise)
}
