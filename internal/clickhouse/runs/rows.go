package runs

import (
	"fmt"
	"time"

	"github.com/reckon-billing/reckon/internal/clickhouse/column"
	"github.com/reckon-billing/reckon/invoicer"
	"github.com/reckon-billing/reckon/schemas"
)

// runRow is a row of runs; columns are all that it has.
type runRow struct {
	number             int64
	kind, month, first string
	created            time.Time
	currency, zone     string
	topics             []string
	partitions         []int32
	ends               []int64
	logs               []int32
	settlesAll         bool
}

func (r *runRow) columns() column.Fields {
	return column.Fields{
		{Name: "number", Value: &r.number},
		{Name: "kind", Value: column.Word{Text: &r.kind}},
		{Name: "month", Value: &r.month},
		{Name: "created_at", Value: &r.created},
		{Name: "first_month", Value: &r.first},
		{Name: "currency", Value: &r.currency},
		{Name: "zone", Value: &r.zone},
		{Name: "cutoff", Value: column.Tuples{
			{Name: "topic", Value: &r.topics}, {Name: "partition", Value: &r.partitions}, {Name: "end", Value: &r.ends},
		}},
		{Name: "cutoff_logs", Value: &r.logs},
		{Name: "settle_all", Value: &r.settlesAll},
	}
}

func rowOfRun(run *schemas.Run) *runRow {
	r := &runRow{
		number: run.Number, kind: string(run.Kind), month: run.Month.String(), first: run.FirstMonth.String(),
		created: run.CreatedAt, currency: run.Currency, zone: run.Zone, settlesAll: run.SettleAll,
	}
	for _, p := range run.Cutoff {
		r.topics, r.partitions, r.ends = append(r.topics, p.Topic), append(r.partitions, p.Partition), append(r.ends, p.End)
		r.logs = append(r.logs, p.Log)
	}
	return r
}

func (r *runRow) run() (schemas.Run, error) {
	run := schemas.Run{Number: r.number, Kind: schemas.RunKind(r.kind), CreatedAt: r.created.UTC(), Currency: r.currency, Zone: r.zone, SettleAll: r.settlesAll}
	var err error
	if run.Month, err = monthOf(run.Kind, r.month); err != nil {
		return run, fmt.Errorf("stored run %d: %w", r.number, err)
	}
	if run.FirstMonth, err = monthOf(run.Kind, r.first); err != nil {
		return run, fmt.Errorf("stored run %d: %w", r.number, err)
	}
	ends := make([]schemas.PartitionEnd, len(r.topics))
	for i := range r.topics {
		if len(r.logs) > 0 { // none of a run before there were logs
			ends[i].Log = r.logs[i]
		}
		ends[i].Topic, ends[i].Partition, ends[i].End = r.topics[i], r.partitions[i], r.ends[i]
	}
	run.Cutoff = schemas.NewCutoff(ends)
	return run, nil
}

// monthOf reads a month of a run; only one of a seal must have it.
func monthOf(kind schemas.RunKind, text string) (schemas.Month, error) {
	if none := (schemas.Month{}); kind != schemas.KindSeal && text == none.String() {
		return none, nil
	}
	return schemas.ParseMonth(text)
}

// sealRow is a row of seals; columns are all that it has, own those without the proof.
type sealRow struct {
	invoicer.Seal
	month             string
	accounts, reasons []string
	proof             proof
}

func (r *sealRow) columns(digits int32) column.Fields {
	return append(r.own(digits), column.Field{Name: "proof", Value: column.Tuples{
		{Name: "column", Value: &r.proof.columns}, {Name: "hash", Value: &r.proof.hashes},
	}})
}

func (r *sealRow) own(digits int32) column.Fields {
	t := &r.Totals
	return column.Fields{
		{Name: "run", Value: &r.Run},
		{Name: "sealed_at", Value: &r.SealedAt},
		{Name: "month", Value: &r.month},
		{Name: "parked_accounts", Value: &r.accounts},
		{Name: "parked_reasons", Value: &r.reasons},
		{Name: "invoices", Value: &t.Invoices},
		{Name: "adjustments", Value: &t.Adjustments},
		{Name: "lines", Value: &t.Lines},
		{Name: "before_tax", Value: column.Money{Amount: &t.Amounts.BeforeTax, Places: digits}},
		{Name: "tax_amount", Value: column.Money{Amount: &t.Amounts.TaxAmount, Places: digits}},
		{Name: "coupon_value", Value: column.Money{Amount: &t.Amounts.CouponValue, Places: digits}},
		{Name: "total_amount", Value: column.Money{Amount: &t.Amounts.TotalAmount, Places: digits}},
	}
}

func rowOfSeal(seal *invoicer.Seal) *sealRow {
	r := &sealRow{Seal: *seal, month: seal.Month.String()}
	for _, p := range seal.Parked {
		r.accounts, r.reasons = append(r.accounts, p.AccountID), append(r.reasons, p.Reason)
	}
	return r
}

func (r *sealRow) seal() (invoicer.Seal, error) {
	s := r.Seal
	var err error
	if s.Month, err = schemas.ParseMonth(r.month); err != nil {
		return s, fmt.Errorf("stored seal of run %d: %w", s.Run, err)
	}
	if len(r.accounts) != len(r.reasons) {
		return s, fmt.Errorf("stored seal of run %d: %d accounts are parked for %d reasons", s.Run, len(r.accounts), len(r.reasons))
	}
	s.SealedAt, s.Parked = s.SealedAt.UTC(), nil
	for i := range r.accounts {
		s.Parked = append(s.Parked, invoicer.Parked{AccountID: r.accounts[i], Reason: r.reasons[i]})
	}
	return s, nil
}

// columnLists are parts of statements: {{columns_of_runs}} and {{columns_of_seals}}.
func columnLists() column.Texts {
	all := column.Texts{}
	all.ColumnsOf("runs", new(runRow).columns().Names())
	all.ColumnsOf("seals", new(sealRow).columns(0).Names())
	return all
}
