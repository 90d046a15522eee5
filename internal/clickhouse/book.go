package clickhouse

import (
	"context"
	"fmt"
	"time"

	"github.com/reckon-billing/reckon/invoicer"
	"github.com/reckon-billing/reckon/schemas"
)

var _ invoicer.RunLog = (*Store)(nil)

// Runs are all runs by number, as [invoicer.RunLog] says. Whoever goes on from them
// sees all that was written before, on whatever replica.
func (s *Store) Runs(ctx context.Context) ([]schemas.Run, error) {
	if err := s.CatchUp(ctx); err != nil {
		return nil, err
	}
	return s.runs(ctx, 0)
}

// AddRun writes the run down, as [invoicer.RunLog] says. Of two that race for one
// number the server drops the second insert, because both have the same token;
// and should both rows ever be there, every reader takes the same one.
func (s *Store) AddRun(ctx context.Context, run schemas.Run) (schemas.Run, error) {
	stored, err := s.runs(ctx, run.Number)
	if err != nil {
		return schemas.Run{}, err
	}
	if len(stored) == 0 {
		if err := s.insertRun(ctx, &run); err != nil {
			return schemas.Run{}, fmt.Errorf("write down run %d of %s: %w", run.Number, run.Month, err)
		}
		if stored, err = s.runs(ctx, run.Number); err != nil {
			return schemas.Run{}, err
		}
	}
	if len(stored) != 1 {
		return schemas.Run{}, fmt.Errorf("run %d of %s was written down but is not there", run.Number, run.Month)
	}
	return stored[0], nil
}

// partitionEnd is an element of the column cutoff.
type partitionEnd struct {
	Topic     string `ch:"topic"`
	Partition int32  `ch:"partition"`
	End       int64  `ch:"end"`
}

func (s *Store) insertRun(ctx context.Context, run *schemas.Run) error {
	cutoff := make([]partitionEnd, len(run.Cutoff))
	for i, p := range run.Cutoff {
		cutoff[i] = partitionEnd(p)
	}
	// Not the month: two runners that take the number for different months race too.
	token := fmt.Sprintf("run-%d", run.Number)
	return s.insert(ctx, "insert_run", token,
		[]int64{run.Number}, []string{run.Month.String()}, []time.Time{run.CreatedAt}, []string{run.FirstMonth.String()},
		[]string{run.Currency}, []string{run.Zone}, [][]partitionEnd{cutoff})
}

// runs reads the run of a number, or all for 0.
func (s *Store) runs(ctx context.Context, number int64) ([]schemas.Run, error) {
	var (
		all          []schemas.Run
		r            schemas.Run
		month, first string
		topics       []string
		partitions   []int32
		ends         []int64
	)
	dest := []any{&r.Number, &month, &r.CreatedAt, &first, &r.Currency, &r.Zone, &topics, &partitions, &ends}
	err := s.each(ctx, "runs", dest, func() error {
		var err error
		if r.Month, err = schemas.ParseMonth(month); err != nil {
			return fmt.Errorf("stored run %d: %w", r.Number, err)
		}
		if r.FirstMonth, err = schemas.ParseMonth(first); err != nil {
			return fmt.Errorf("stored run %d: %w", r.Number, err)
		}
		at := make([]schemas.PartitionEnd, len(topics))
		for i := range topics {
			at[i] = schemas.PartitionEnd{Topic: topics[i], Partition: partitions[i], End: ends[i]}
		}
		r.CreatedAt, r.Cutoff = r.CreatedAt.UTC(), schemas.NewCutoff(at)
		all = append(all, r)
		return nil
	}, bind("number", number))
	if err != nil {
		return nil, fmt.Errorf("read runs: %w", err)
	}
	return all, nil
}

// Seals are the newest seal of each run, as [invoicer.RunLog] says.
func (s *Store) Seals(ctx context.Context) ([]invoicer.Seal, error) {
	var (
		all               []invoicer.Seal
		one               invoicer.Seal
		month             string
		accounts, reasons []string
		t                 = &one.Totals
	)
	dest := append([]any{&one.Run, &one.SealedAt, &month, &accounts, &reasons, &t.Invoices, &t.Adjustments, &t.Lines},
		scanAmounts(&t.Amounts)...)
	err := s.each(ctx, "seals", dest, func() error {
		var err error
		if one.Month, err = schemas.ParseMonth(month); err != nil {
			return fmt.Errorf("stored seal of run %d: %w", one.Run, err)
		}
		one.SealedAt, one.Parked = one.SealedAt.UTC(), nil
		for i := range accounts {
			one.Parked = append(one.Parked, invoicer.Parked{AccountID: accounts[i], Reason: reasons[i]})
		}
		all = append(all, one)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read seals: %w", err)
	}
	return all, nil
}

// AddSeal writes down that a run was carried out, as [invoicer.RunLog] says, and
// before it the hashes of the months that it issued for.
func (s *Store) AddSeal(ctx context.Context, seal invoicer.Seal) error {
	if err := s.hashMonths(ctx, seal); err != nil {
		return fmt.Errorf("hash what run %d issued: %w", seal.Run, err)
	}
	accounts, reasons := make([]string, len(seal.Parked)), make([]string, len(seal.Parked))
	for i, p := range seal.Parked {
		accounts[i], reasons[i] = p.AccountID, p.Reason
	}
	amounts := s.newAmounts(1)
	amounts.add(&seal.Totals.Amounts)
	if err := amounts.err(); err != nil {
		return fmt.Errorf("seal of run %d: %w", seal.Run, err)
	}
	t := seal.Totals
	columns := []any{
		[]int64{seal.Run},
		[]time.Time{seal.SealedAt},
		[]string{seal.Month.String()},
		[][]string{accounts},
		[][]string{reasons},
		[]int64{t.Invoices},
		[]int64{t.Adjustments},
		[]int64{t.Lines},
	}
	if err := s.insert(ctx, "insert_seal", "", append(columns, amounts.columns()...)...); err != nil {
		return fmt.Errorf("write down the seal of run %d: %w", seal.Run, err)
	}
	return nil
}
