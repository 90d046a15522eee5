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
	var kind column.LowCardinalityInput
	kind.Reset()
	kind.Add(string(run.Kind))
	var topics column.StringInput
	var partitions column.Int32s
	var ends column.Int64s
	for _, p := range run.Cutoff {
		topics.Add(p.Topic)
		partitions, ends = append(partitions, p.Partition), append(ends, p.End)
	}
	cutoff := column.TupleInput{{Name: "topic", Data: &topics}, {Name: "partition", Data: &partitions}, {Name: "end", Data: &ends}}
	// Not the month, and not the kind: two runners that take the number for different
	// ones race too.
	token := fmt.Sprintf("run-%d", run.Number)
	return s.insert(ctx, "runs", token, column.Input{
		{Name: "number", Data: column.Int64s{run.Number}},
		{Name: "kind", Data: &kind},
		{Name: "month", Data: column.StringsOf(run.Month.String())},
		{Name: "created_at", Data: column.MillisOf(run.CreatedAt)},
		{Name: "first_month", Data: column.StringsOf(run.FirstMonth.String())},
		{Name: "currency", Data: column.StringsOf(run.Currency)},
		{Name: "zone", Data: column.StringsOf(run.Zone)},
		{Name: "cutoff", Data: column.ListOf(cutoff)},
	})
}

// runs are those that a query reads.
func (s *Store) runs(ctx context.Context, query string, args ...any) ([]schemas.Run, error) {
	var (
		all          []schemas.Run
		r            schemas.Run
		kind         string
		month, first string
		topics       []string
		partitions   []int32
		ends         []int64
	)
	dest := []any{&r.Number, &kind, &month, &r.CreatedAt, &first, &r.Currency, &r.Zone, &topics, &partitions, &ends}
	err := s.db.Each(ctx, query, dest, func() error {
		r.Kind = schemas.RunKind(kind)
		var err error
		if r.Month, err = monthOf(r.Kind, month); err != nil {
			return fmt.Errorf("stored run %d: %w", r.Number, err)
		}
		if r.FirstMonth, err = monthOf(r.Kind, first); err != nil {
			return fmt.Errorf("stored run %d: %w", r.Number, err)
		}
		at := make([]schemas.PartitionEnd, len(topics))
		for i := range topics {
			at[i] = schemas.PartitionEnd{Topic: topics[i], Partition: partitions[i], End: ends[i]}
		}
		r.CreatedAt, r.Cutoff = r.CreatedAt.UTC(), schemas.NewCutoff(at)
		all = append(all, r)
		return nil
	}, args...)
	if err != nil {
		return nil, fmt.Errorf("read runs: %w", err)
	}
	return all, nil
}

// monthOf reads a month of a run; only one of a seal must have it.
func monthOf(kind schemas.RunKind, text string) (schemas.Month, error) {
	if none := (schemas.Month{}); kind != schemas.KindSeal && text == none.String() {
		return none, nil
	}
	return schemas.ParseMonth(text)
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
	err := s.db.Each(ctx, "seals", dest, func() error {
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
	t := seal.Totals
	amounts, err := s.amounts(&t.Amounts)
	if err != nil {
		return fmt.Errorf("seal of run %d: %w", seal.Run, err)
	}
	err = s.insert(ctx, "seals", "", append(column.Input{
		{Name: "run", Data: column.Int64s{seal.Run}},
		{Name: "sealed_at", Data: column.MillisOf(seal.SealedAt)},
		{Name: "month", Data: column.StringsOf(seal.Month.String())},
		{Name: "parked_accounts", Data: column.ListOf(column.StringsOf(accounts...))},
		{Name: "parked_reasons", Data: column.ListOf(column.StringsOf(reasons...))},
		{Name: "invoices", Data: column.Int64s{t.Invoices}},
		{Name: "adjustments", Data: column.Int64s{t.Adjustments}},
		{Name: "lines", Data: column.Int64s{t.Lines}},
	}, amounts...))
	if err != nil {
		return fmt.Errorf("write down the seal of run %d: %w", seal.Run, err)
	}
	return nil
}
