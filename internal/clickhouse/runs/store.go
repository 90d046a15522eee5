package runs

import (
	"context"
	"embed"

	"github.com/reckon-billing/reckon/internal/clickhouse/column"
	"github.com/reckon-billing/reckon/internal/clickhouse/scope"
)

// Store is the runs of a database and their seals. It is safe for concurrent use.
type Store struct {
	db     *column.DB
	digits int32
	// catchUp waits until what any replica has acknowledged can be read.
	catchUp func(context.Context) error
}

//go:embed queries/*.sql queries/parts/*.sql
var queries embed.FS

// New is the store of a database, whose money has so many decimals.
func New(db *column.DB, digits int32, catchUp func(context.Context) error) *Store {
	return &Store{db: db.With(queries, scope.Parts, columnLists()), digits: digits, catchUp: catchUp}
}

// insert inserts one block.
func (s *Store) insert(ctx context.Context, table, token string, block column.Input) error {
	return s.db.Insert(ctx, token, column.Insert{Table: table, Blocks: []column.Input{block}})
}
