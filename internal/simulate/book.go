package simulate

import (
	"fmt"
	"time"

	"github.com/reckon-billing/reckon/internal/generate"
	"github.com/reckon-billing/reckon/internal/oracle"
	"github.com/reckon-billing/reckon/schemas"
)

// Book is a scenario as it was written: the accepted copies in the order of the
// file, and where in it the months were sealed.
//
// The copies lie in one partition of its own making, all with one timestamp. That
// is enough to say which copy counts, as generated copies of one event come in
// the order of the file wherever they are produced (generate's invariant).
type Book struct {
	oracle.Settings
	copies []oracle.Copy
	seals  []seal
}

// seal remembers how many copies there were when the month was sealed.
type seal struct {
	month schemas.Month
	end   int
}

const topic = "scenario"

// NewBook begins an empty book. First is the first month that is billed.
func NewBook(zone *time.Location, currency schemas.Currency, first schemas.Month) *Book {
	return &Book{Settings: oracle.Settings{Zone: zone, Currency: currency, First: first, Last: first}}
}

// Add takes down the next line of the scenario.
func (b *Book) Add(l *generate.Line) {
	switch l.Kind {
	case generate.Rejected:
	case generate.Seal:
		b.seals = append(b.seals, seal{l.Month, len(b.copies)})
		b.Cutoffs = append(b.Cutoffs, schemas.Cutoff{{Topic: topic, End: int64(len(b.copies))}})
		if b.Last.Before(l.Month) {
			b.Last = l.Month
		}
	case generate.Stored, generate.Duplicate, generate.Conflicting:
		b.copies = append(b.copies, oracle.Copy{
			Event: l.Event, Position: schemas.Position{Topic: topic, Offset: int64(len(b.copies))},
		})
	}
}

// Invoiced is what the seal of the month must have issued of kind invoice: the
// month's lines from the lines of the file before the seal, and the rest of what
// was known then. It is an error when the month was not sealed.
func (b *Book) Invoiced(month schemas.Month) (oracle.Result, error) {
	for _, s := range b.seals {
		if s.month != month {
			continue
		}
		settings := b.Settings
		settings.Last = month
		r := oracle.Compute(b.copies[:s.end], settings)
		r.Lines = ofMonth(r.Lines, month)
		return r, nil
	}
	return oracle.Result{}, fmt.Errorf("month %s was not sealed in the scenario", month)
}

// Settled is what all invoices and adjustments must add up to when everything in
// the file is taken into account (contract 5, late events), for all months that
// were sealed. Its counts and anomalies are those of contract 7.
func (b *Book) Settled() oracle.Result { return oracle.Compute(b.copies, b.Settings) }

func ofMonth(lines []schemas.Line, month schemas.Month) []schemas.Line {
	var out []schemas.Line
	for i := range lines {
		if lines[i].Month == month {
			out = append(out, lines[i])
		}
	}
	return out
}
