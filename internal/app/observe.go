package app

import (
	"context"

	"github.com/reckon-billing/reckon/ingest"
	"github.com/reckon-billing/reckon/schemas"
)

// observed is a sink of whose batches somebody is told.
type observed struct {
	ingest.Sink
	stored func(int64, map[schemas.Position]string)
}

// Open begins a batch; see [ingest.Sink].
func (o *observed) Open() ingest.Rows { return &observedRows{Rows: o.Sink.Open(), stored: o.stored} }

type observedRows struct {
	ingest.Rows
	stored  func(int64, map[schemas.Position]string)
	rows    int64
	rejects map[schemas.Position]string
}

// Accept counts an event; see [ingest.Rows].
func (r *observedRows) Accept(e *schemas.Event, m *schemas.Message) error {
	r.rows++
	return r.Rows.Accept(e, m)
}

// Reject remembers a reject; see [ingest.Rows].
func (r *observedRows) Reject(m *schemas.Message, why *schemas.Rejection) error {
	r.rows++
	if r.rejects == nil {
		r.rejects = map[schemas.Position]string{}
	}
	r.rejects[m.Position] = why.Error()
	return r.Rows.Reject(m, why)
}

// Store stores the batch, and tells of it only then; see [ingest.Rows].
func (r *observedRows) Store(ctx context.Context) error {
	if err := r.Rows.Store(ctx); err != nil {
		return err
	}
	r.stored(r.rows, r.rejects)
	r.rows = 0
	clear(r.rejects)
	return nil
}
