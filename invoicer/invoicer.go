package invoicer

import (
	"context"
	"time"

	"github.com/reckon-billing/reckon/schemas"
)

// Invoicer seals months.
type Invoicer struct {
	Log      Log
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
	Now    func() time.Time
	// Waiting is told, again and again, which partitions ingest has not stored
	// yet while a seal waits for them, and once of none when that is over.
	Waiting func([]Lag)
	// Progress is told how far a run has come.
	Progress func(run schemas.Run, totals Totals)
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
	last := v.lastDue()
	if next, begun := b.next(v.FirstMonth, last); begun && last.Before(next) {
		return done, nil
	}
	more, err := v.sealMonths(ctx, b, last)
	return append(done, more...), err
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
		return nil, beforeFirst(month, first)
	}
	done, err := v.finish(ctx, b)
	if err != nil {
		return done, err
	}
	var more []Seal
	if last := lastMonth(b.runs); !last.IsZero() && !last.Before(month) {
		more, err = v.settle(ctx, b)
	} else {
		more, err = v.sealMonths(ctx, b, month)
	}
	return append(done, more...), err
}

// sealMonths seals the months that are not, up to the last.
func (v *Invoicer) sealMonths(ctx context.Context, b *books, last schemas.Month) ([]Seal, error) {
	next, _ := b.next(v.FirstMonth, last)
	var done []Seal
	for month := next; !last.Before(month); month = month.Next() {
		seal, err := v.sealMonth(ctx, b, month)
		if err != nil {
			return done, err
		}
		done = append(done, seal)
	}
	return done, nil
}

func (v *Invoicer) sealMonth(ctx context.Context, b *books, month schemas.Month) (Seal, error) {
	n, err := v.noteCutoff(ctx)
	if err != nil {
		return Seal{}, err
	}
	if len(b.runs) == 0 && !v.Replay && v.FirstMonth.IsZero() {
		if err := v.refuseEarlierLife(ctx, month, n.cutoff); err != nil {
			return Seal{}, err
		}
	}
	return v.run(ctx, b, month, n)
}

// settle corrects sealed months by what came late, if anything came at all.
func (v *Invoicer) settle(ctx context.Context, b *books) ([]Seal, error) {
	n, err := v.noteCutoff(ctx)
	if err != nil {
		return nil, err
	}
	if n.cutoff.Equal(b.runs[len(b.runs)-1].Cutoff) {
		return nil, nil
	}
	seal, err := v.run(ctx, b, lastMonth(b.runs), n)
	if err != nil {
		return nil, err
	}
	return []Seal{seal}, nil
}
