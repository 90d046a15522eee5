package runs

import (
	"context"
	"errors"
	"io"

	"github.com/reckon-billing/reckon/internal/clickhouse/column"
	"github.com/reckon-billing/reckon/invoicer"
	"github.com/reckon-billing/reckon/schemas"
	"github.com/reckon-billing/reckon/schemas/tables"
)

// hashMonths writes the hash of each month that the run issued for, and of the
// month that it sealed. It follows from the invoices that are stored, so that a
// second runner writes the same row.
func (s *Store) hashMonths(ctx context.Context, seal invoicer.Seal) error {
	var months []string
	var hashes []*tables.MonthHash
	err := s.runHashes(ctx, seal.Run, func(month, code string, hash []byte) {
		if n := len(months); n == 0 || months[n-1] != month {
			months, hashes = append(months, month), append(hashes, tables.NewMonthHash())
		}
		hashes[len(hashes)-1].Add(code, schemas.Digest(hash))
	})
	if err != nil {
		return err
	}
	if n := len(months); n == 0 || months[n-1] != seal.Month.String() { // no run issues for a later month
		months, hashes = append(months, seal.Month.String()), append(hashes, tables.NewMonthHash())
	}
	var runs, counts column.Int64s
	sums := column.FixedStrings{Size: len(schemas.Digest{})}
	for i := range months {
		sum := hashes[i].Sum()
		runs, counts = append(runs, seal.Run), append(counts, hashes[i].Invoices)
		sums.Append(sum[:])
	}
	return s.insert(ctx, "month_hashes", "", column.Input{
		{Name: "month", Data: column.StringsOf(months...)}, {Name: "run", Data: &runs}, {Name: "invoices", Data: &counts}, {Name: "hash", Data: &sums},
	})
}

// runHashes yields the hashes of run_hashes.sql, each once; a hash is valid until
// yield returns.
func (s *Store) runHashes(ctx context.Context, run int64, yield func(month, code string, hash []byte)) error {
	settings := column.Settings{"max_block_size": hashBlockRows}
	rows, err := column.OpenStream(ctx, s.db, "run_hashes", settings, []any{column.Bind("run", run)}, newHashBlock(), newHashBlock())
	if err != nil {
		return err
	}
	defer rows.Close()
	var last string
	for {
		b, err := rows.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		for i := range b.Rows {
			// A code has its month in it, so that the same code is the same invoice.
			if code := b.codes.Like(last, i); code != last {
				last = code
				yield(b.months.At(i), code, b.hashes.Row(i))
			}
		}
	}
}

// hashBlock is a block of rows of run_hashes.sql, by column.
type hashBlock struct {
	column.Block
	months column.LowCardinality
	codes  column.Strings
	hashes column.FixedStrings
}

func newHashBlock() *hashBlock {
	b := &hashBlock{hashes: column.FixedStrings{Size: len(schemas.Digest{})}}
	b.Column("month", "LowCardinality(String)", &b.months)
	b.Column("code", "String", &b.codes)
	b.Column("hash", "FixedString(32)", &b.hashes)
	return b
}

// hashBlockRows is the number of rows in a block: big enough to cost little a row.
const hashBlockRows = 32768
