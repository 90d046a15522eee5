package runs

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"strings"

	"github.com/reckon-billing/reckon/internal/audit"
	"github.com/reckon-billing/reckon/internal/clickhouse/column"
)

// The tables whose rows a seal proves.
const (
	runsTable  = "runs"
	sealsTable = "seals"
)

// proof are hashes of columns, each by the name of its table and its own.
type proof struct {
	columns []string
	hashes  []int64
}

// add adds the columns of a row.
func (p *proof) add(table string, row column.Fields) error {
	values, err := valuesOf(row)
	for _, v := range values {
		p.columns, p.hashes = append(p.columns, table+"."+v.Name), append(p.hashes, hashOf(table, v))
	}
	return err
}

func valuesOf(row column.Fields) ([]column.RowValue, error) {
	input, err := row.Input()
	if err != nil {
		return nil, err
	}
	return column.Values(input)
}

// hashOf hashes a column's name with its value.
func hashOf(table string, v column.RowValue) int64 {
	sum := sha256.Sum256([]byte(table + "." + v.Name + "=" + v.Text))
	return int64(binary.BigEndian.Uint64(sum[:])) //nolint:gosec // its bits
}

// prove notes what the row of a run and that of its seal say.
func (s *Store) prove(ctx context.Context, seal *sealRow) error {
	seal.proof = proof{}
	var run runRow
	err := s.db.Each(ctx, "run", run.columns().Dest(), func() error { return seal.proof.add(runsTable, run.columns()) }, column.Bind("number", seal.Run))
	if err != nil {
		return fmt.Errorf("read run %d to prove it: %w", seal.Run, err)
	}
	return seal.proof.add(sealsTable, seal.own(s.digits))
}

// ChangedRuns are the columns of runs and of seals that are not as they were when the
// seals were written, as [audit.RunLog] says.
func (s *Store) ChangedRuns(ctx context.Context) ([]audit.RunChange, error) {
	runs := map[int64][]column.RowValue{}
	var run runRow
	err := s.db.Each(ctx, "sealed_runs", run.columns().Dest(), func() (err error) {
		runs[run.number], err = valuesOf(run.columns())
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the runs that were sealed: %w", err)
	}
	var all []audit.RunChange
	var seal sealRow
	err = s.db.Each(ctx, "all_seals", seal.columns(s.digits).Dest(), func() error {
		own, err := valuesOf(seal.own(s.digits))
		all = append(all, seal.proof.changes(seal.Run, runs[seal.Run], own)...)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("compare the seals with their proofs: %w", err)
	}
	return all, nil
}

// UnknownRuns are those that have issued or sealed something and are not written down,
// as [audit.RunLog] says.
func (s *Store) UnknownRuns(ctx context.Context) ([]int64, error) {
	var all []int64
	var one int64
	err := s.db.Each(ctx, "runs_unknown", []any{&one}, func() error {
		all = append(all, one)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("look for runs that are not written down: %w", err)
	}
	return all, nil
}

// changes compares the rows of a run and of its seal with the proof. Of a run that is not
// there the number is changed, to nothing.
func (p *proof) changes(number int64, run, seal []column.RowValue) []audit.RunChange {
	proven := map[string]int64{}
	for i, name := range p.columns {
		proven[name] = p.hashes[i]
	}
	var all []audit.RunChange
	if run == nil {
		all = append(all, audit.RunChange{Run: number, Table: runsTable, Column: "number"})
	}
	for _, row := range []struct {
		table  string
		values []column.RowValue
	}{{sealsTable, seal}, {runsTable, run}} {
		for _, v := range row.values {
			name := row.table + "." + v.Name
			if hash, known := proven[name]; known && hash != hashOf(row.table, v) {
				all = append(all, audit.RunChange{Run: number, Table: row.table, Column: v.Name, Stored: v.Shown})
			}
			delete(proven, name)
		}
	}
	for _, name := range p.columns {
		if _, left := proven[name]; left && (run != nil || !strings.HasPrefix(name, runsTable+".")) {
			all = append(all, audit.RunChange{Run: number, Table: sealsTable, Column: "proof", Stored: name})
		}
	}
	return all
}
