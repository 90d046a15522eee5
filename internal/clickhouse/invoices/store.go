package invoices

import (
	"embed"

	"github.com/reckon-billing/reckon/internal/clickhouse/column"
	"github.com/reckon-billing/reckon/internal/clickhouse/scope"
)

// Store is what runs have issued in a database, and the snapshots that the next ones
// begin with. It is safe for concurrent use.
type Store struct {
	db      *column.DB
	digits  int32
	rowSets rowSets
}

//go:embed queries/*.sql queries/parts/*.sql
var queries embed.FS

// New is the store of a database, whose money has so many decimals.
func New(db *column.DB, digits int32) *Store {
	return &Store{db: db.With(queries, scope.Parts, columnLists(digits)), digits: digits}
}
