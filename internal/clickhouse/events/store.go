package events

import (
	"embed"

	"github.com/reckon-billing/reckon/internal/clickhouse/column"
	"github.com/reckon-billing/reckon/internal/clickhouse/scope"
)

// Store is the events of a database, what was rejected, and what they are told apart
// by. It is safe for concurrent use.
type Store struct {
	db     *column.DB
	ingest *ingestion
	// laneRows is how many rows of a month make a part worth a lane of its own.
	laneRows int64
}

//go:embed queries/*.sql queries/parts/*.sql
var queries embed.FS

// New is the store of a database.
func New(db *column.DB) *Store {
	db = db.With(queries, scope.Parts, columnLists())
	return &Store{db: db, ingest: newIngestion(db), laneRows: laneRows}
}
