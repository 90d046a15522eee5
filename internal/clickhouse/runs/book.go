package runs

import (
	"context"
	"fmt"

	"github.com/reckon-billing/reckon/internal/clickhouse/column"
	"github.com/reckon-billing/reckon/invoicer"
	"github.com/reckon-billing/reckon/schemas"
)

var _ invoicer.RunLog = (*Store)(nil)

// NextNumber is the number after the newest run's, as [invoicer.RunLog] says.
func (s *Store) NextNumber(ctx context.Context) (int64, error) {
	if err := s.catchUp(ctx); err != nil {
		return 0, err
	}
	var next int64
	if err := s.db.Row(ctx, "next_run_number", []any{&next}); err != nil {
		return 0, fmt.Errorf("read the newest run's number: %w", err)
	}
	return next, nil
}

// Runs are the runs of seals by number, as [invoicer.RunLog] says. Whoever goes on
// from them sees all that was written before, on whatever replica.
func (s *Store) Runs(ctx context.Context) ([]schemas.Run, error) {
	if err := s.catchUp(ctx); err != nil {
		return nil, err
	}
	return s.runs(ctx, "runs", column.Bind("kind", string(schemas.KindSeal)))
}

// AddRun writes the run down, as [invoicer.RunLog] says. Of two that race for one
// number the server drops the second insert, because both have the same token;
// and should both rows ever be there, every reader takes the same one.
func (s *Store) AddRun(ctx context.Context, run schemas.Run) (schemas.Run, error) {
	if run.Kind == "" {
		return schemas.Run{}, fmt.Errorf("run %d of %s has no kind", run.Number, run.Month)
	}
	stored, err := s.runs(ctx, "run", column.Bind("number", run.Number))
	if err != nil {
		return schemas.Run{}, err
	}
	if len(stored) == 0 {
		if err := s.insertRun(ctx, &run); err != nil {
			return schemas.Run{}, fmt.Errorf("write down run %d of %s: %w", run.Number, run.Month, err)
		}
		if stored, err = s.runs(ctx, "run", column.Bind("number", run.Number)); err != nil {
			return schemas.Run{}, err
		}
	}
	if len(stored) != 1 {
		return schemas.Run{}, fmt.Errorf("run %d of %s was written down but is not there", run.Number, run.Month)
	}
	return stored[0], nil
}

func (s *Store) insertRun(ctx context.Context, run *schemas.Run) error {
	row, err := rowOfRun(run).columns().Input()
	if err != nil {
		return err
	}
	// Not the month, and not the kind: two runners that take the number for different
	// ones race too.
	token := fmt.Sprintf("run-%d", run.Number)
	return s.insert(ctx, "runs", token, row)
}

// runs are those that a query reads.
func (s *Store) runs(ctx context.Context, query string, args ...any) ([]schemas.Run, error) {
	var all []schemas.Run
	var r runRow
	err := s.db.Each(ctx, query, r.columns().Dest(), func() error {
		run, err := r.run()
		all = append(all, run)
		return err
	}, args...)
	if err != nil {
		return nil, fmt.Errorf("read runs: %w", err)
	}
	return all, nil
}

// Seals are one of each run, as [invoicer.RunLog] says.
func (s *Store) Seals(ctx context.Context) ([]invoicer.Seal, error) {
	var all []invoicer.Seal
	var r sealRow
	err := s.db.Each(ctx, "seals", r.columns(s.digits).Dest(), func() error {
		seal, err := r.seal()
		all = append(all, seal)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read seals: %w", err)
	}
	return all, nil
}

// refuseLacking is a [*invoicer.LacksError] where an invoice of the run is not whole.
func (s *Store) refuseLacking(ctx context.Context, run int64) error {
	var whole uint8
	if err := s.db.Row(ctx, "all_whole", []any{&whole}, column.Bind("run", run)); err != nil {
		return fmt.Errorf("run %d: look whether its invoices are whole: %w", run, err)
	}
	if whole == 1 {
		return nil
	}
	lacks := &invoicer.LacksError{Run: run}
	var found error
	dest := []any{&lacks.AccountID, &lacks.ResourceID, &lacks.Code, &lacks.Want, &lacks.Lines, &lacks.Hashes}
	if err := s.db.Each(ctx, "lacking", dest, func() error { found = lacks; return nil }, column.Bind("run", run)); err != nil {
		return fmt.Errorf("run %d: look whether its invoices are whole: %w", run, err)
	}
	return found
}

// AddSeal writes down that a run was carried out, as [invoicer.RunLog] says, and
// before it the hashes of the months that it issued for. With the seal goes what proves
// it and its run.
func (s *Store) AddSeal(ctx context.Context, seal invoicer.Seal) error {
	if err := s.refuseLacking(ctx, seal.Run); err != nil {
		return err
	}
	if err := s.hashMonths(ctx, seal); err != nil {
		return fmt.Errorf("hash what run %d issued: %w", seal.Run, err)
	}
	sealed := rowOfSeal(&seal)
	if err := s.prove(ctx, sealed); err != nil {
		return err
	}
	row, err := sealed.columns(s.digits).Input()
	if err != nil {
		return fmt.Errorf("seal of run %d: %w", seal.Run, err)
	}
	if err := s.insert(ctx, "seals", "", row); err != nil {
		return fmt.Errorf("write down the seal of run %d: %w", seal.Run, err)
	}
	return nil
}
