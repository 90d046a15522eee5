package fold

import (
	"time"

	"github.com/reckon-billing/reckon/schemas"
)

// Window is what is folded of a history, and what is wanted of it.
type Window struct {
	// From is the instant at which the snapshots are taken that the fold sets out from,
	// 1970 for full history. To is the end of the last month: a lifecycle event from then
	// on matters where it makes void what came before it.
	From, To time.Time
	// Months are those whose periods are wanted, Zone is the billing zone.
	Months Months
	Zone   *time.Location
	// Next is the month that begins where the new snapshots are taken.
	Next schemas.Month
	// Replace tells that older snapshots of the resources may stand that are wrong, so
	// that of a resource that is unknown at the end there has to be a snapshot too.
	Replace bool
	// Seen is the cutoff of the run before, nil for none: events outside it are late.
	Seen *schemas.Cutoff
	// Anomalies is told of every anomaly of the window; nil for not at all. Where usage
	// is not Named, one of usage may lack its source and id. Of a resource of which an
	// event could not be read it is told nothing from there on: what it is told is so,
	// whatever that event says.
	Anomalies func(schemas.Anomaly) error
	Named     bool
	// NameLevels tells that the events are wanted whose levels hold when periods begin:
	// usage is then handed over by UseOf.
	NameLevels bool
}

// Fold folds the histories of accounts, all over one window.
type Fold struct {
	Window
	// from and to are those of the window, in milliseconds.
	from, to int64
	calendar calendar
}

// Open begins to fold.
func Open(w Window) *Fold {
	f := &Fold{Window: w, from: w.From.UnixMilli(), to: w.To.UnixMilli()}
	if !w.Months.Last.IsZero() {
		f.calendar = newCalendar(w.Months.First, w.Months.Last, w.Zone)
	}
	return f
}

// Months are those from First to Last; the zero value is none.
type Months struct{ First, Last schemas.Month }

// Watched tells that usage events may be late, or are to be named, so that of each it has
// to be known who it is.
func (f *Fold) Watched() bool { return f.Seen != nil || f.Named || f.NameLevels }

func (f *Fold) late(position schemas.Position) bool {
	return f.Seen != nil && !f.Seen.Contains(position)
}
