package clickhouse

import (
	"context"
	"errors"
	"io"

	"github.com/ClickHouse/ch-go/proto"
	driver "github.com/ClickHouse/clickhouse-go/v2"

	"github.com/reckon-billing/reckon/invoicer"
	"github.com/reckon-billing/reckon/schemas"
)

// hashMonths writes the hash of each month that the run issued for, and of the
// month that it sealed. It follows from the invoices that are stored, so that a
// second runner writes the same row.
func (s *Store) hashMonths(ctx context.Context, seal invoicer.Seal) error {
	var months []string
	var hashes []*invoicer.MonthHash
	err := s.runHashes(ctx, seal.Run, func(month, code string, hash []byte) {
		if n := len(months); n == 0 || months[n-1] != month {
			months, hashes = append(months, month), append(hashes, invoicer.NewMonthHash())
		}
		hashes[len(hashes)-1].Add(code, schemas.Digest(hash))
	})
	if err != nil {
		return err
	}
	if n := len(months); n == 0 || months[n-1] != seal.Month.String() { // no run issues for a later month
		months, hashes = append(months, seal.Month.String()), append(hashes, invoicer.NewMonthHash())
	}
	runs, counts, sums := make([]int64, len(months)), make([]int64, len(months)), make([][]byte, len(months))
	for i := range months {
		sum := hashes[i].Sum()
		runs[i], counts[i], sums[i] = seal.Run, hashes[i].Invoices, sum[:]
	}
	return s.insert(ctx, "insert_month_hashes", "", months, runs, counts, sums)
}

// runHashes yields the hashes of run_hashes.sql, each once; a hash is valid until
// yield returns.
func (s *Store) runHashes(ctx context.Context, run int64, yield func(month, code string, hash []byte)) error {
	settings := driver.Settings{"max_block_size": blockRows}
	rows, err := openStream(ctx, s, "run_hashes", settings, []any{bind("run", run)}, newHashBlock(), newHashBlock())
	if err != nil {
		return err
	}
	defer rows.close()
	var last string
	for {
		b, err := rows.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		for i := range b.rows {
			// A code has its month in it, so that the same code is the same invoice.
			if code := b.codes.like(last, i); code != last {
				last = code
				yield(b.months.at(i), code, b.hashes.Row(i))
			}
		}
	}
}

// hashBlock is a block of rows of run_hashes.sql, by column.
type hashBlock struct {
	rowBlock
	months words
	codes  texts
	hashes proto.ColFixedStr
}

func newHashBlock() *hashBlock {
	b := &hashBlock{hashes: proto.ColFixedStr{Size: len(schemas.Digest{})}}
	b.columns = columns{
		{"month", "LowCardinality(String)", &b.months},
		{"code", "String", &b.codes},
		{"hash", "FixedString(32)", &b.hashes},
	}
	return b
}
