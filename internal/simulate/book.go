package simulate

import (
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
	// seals are one for each directive, numbered from 1: in a scenario that seals month
	// after month each is one run.
	seals []oracle.Seal
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
		cutoff := schemas.Cutoff{{Topic: topic, End: int64(len(b.copies))}}
		b.seals = append(b.seals, oracle.Seal{Number: int64(len(b.seals) + 1), Month: l.Month, Cutoff: cutoff})
		b.Cutoffs = append(b.Cutoffs, cutoff)
		if b.Last.Before(l.Month) {
			b.Last = l.Month
		}
	case generate.Stored, generate.Duplicate, generate.Conflicting:
		b.copies = append(b.copies, oracle.Copy{
			Event: l.Event, Position: schemas.Position{Topic: topic, Offset: int64(len(b.copies))},
		})
	}
}

// Documents are what the seals must have issued, in the order issued: invoices from the
// lines of the file before each seal, and the adjustments by which what came late to
// the months before is settled.
func (b *Book) Documents() []oracle.Document { return oracle.Documents(b.copies, b.Settings, b.seals) }

// Settled is what all invoices and adjustments must add up to when everything in
// the file is taken into account (contract 5, late events), for all months that
// were sealed. Its counts and anomalies are those of contract 7.
func (b *Book) Settled() oracle.Result { return oracle.Compute(b.copies, b.Settings) }
