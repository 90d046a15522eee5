package events

import (
	"github.com/reckon-billing/reckon/internal/audit"
	"github.com/reckon-billing/reckon/internal/clickhouse/column"
	"github.com/reckon-billing/reckon/schemas"
)

// mirror writes the row of a message as ingest would, and stores nothing: by the very
// columns that ingest fills.
type mirror struct {
	events  *eventRows
	letters *letterRows
	text    []byte
}

// Mirror is as [audit.Messages] says.
func (s *Store) Mirror() audit.Mirror {
	return &mirror{events: newEventRows(column.NewArena()), letters: newLetterRows()}
}

// Event is as [audit.Mirror] says.
func (r *mirror) Event(e *schemas.Event, m *schemas.Message) ([]byte, error) {
	r.events.reset()
	if err := r.events.add(e, m); err != nil {
		return nil, err
	}
	return r.row(r.events.all)
}

// Letter is as [audit.Mirror] says.
func (r *mirror) Letter(m *schemas.Message, why *schemas.Rejection) ([]byte, error) {
	r.letters.reset()
	r.letters.add(m, why)
	return r.row(r.letters.all)
}

func (r *mirror) row(of column.Input) (text []byte, err error) {
	r.text, err = column.AppendRow(r.text[:0], of)
	return r.text, err
}

// Columns is as [audit.Mirror] says.
func (r *mirror) Columns(row string, rejected bool) ([]audit.Value, error) {
	of := r.events.all
	if rejected {
		of = r.letters.all
	}
	values, err := column.RowValues(of, row)
	all := make([]audit.Value, len(values))
	for i, v := range values {
		all[i] = audit.Value{Name: v.Name, Text: v.Shown}
	}
	return all, err
}
