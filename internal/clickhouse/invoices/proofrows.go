package invoices

import (
	"context"

	"github.com/reckon-billing/reckon/internal/clickhouse/column"
	"github.com/reckon-billing/reckon/schemas"
)

// writeHashes stores the digests of invoices; the headers come after.
func (s *Store) writeHashes(ctx context.Context, all []schemas.InvoiceHash) error {
	return insertRows(ctx, s, "insert_hashes", 0, all, func(r *rowSet) table[schemas.InvoiceHash] { return r.hashes })
}

// hashRows are rows of invoice_hashes, by column.
type hashRows struct {
	months                     column.LowCardinalityInput
	accounts, resources, codes column.StringInput
	runs                       column.Int64s
	hashes                     column.FixedStrings

	monthly
}

func newHashRows() *hashRows {
	r := &hashRows{hashes: column.FixedStrings{Size: len(schemas.Digest{})}}
	r.all = column.Input{
		{Name: "month", Data: &r.months},
		{Name: "account_id", Data: &r.accounts},
		{Name: "resource_id", Data: &r.resources},
		{Name: "code", Data: &r.codes},
		{Name: "run", Data: &r.runs},
		{Name: "hash", Data: &r.hashes},
	}
	return r
}

func (r *hashRows) add(_ int64, h *schemas.InvoiceHash) error {
	r.months.Add(r.month.of(h.Month))
	r.accounts.Add(h.AccountID)
	r.resources.Add(h.ResourceID)
	r.codes.Add(h.Code)
	r.runs = append(r.runs, h.Run)
	r.hashes.Append(h.Hash[:])
	return nil
}

func (s *Store) writeMinutes(ctx context.Context, run int64, all []schemas.ResourceMinutes) error {
	return insertRows(ctx, s, "insert_minutes", run, all, func(r *rowSet) table[schemas.ResourceMinutes] { return r.minutes })
}

// minuteRows are rows of item_minutes, by column.
type minuteRows struct {
	months                         column.LowCardinalityInput
	accounts, resources            column.StringInput
	runs, lived, onLines, excluded column.Int64s

	monthly
}

func newMinuteRows() *minuteRows {
	r := &minuteRows{}
	r.all = column.Input{
		{Name: "month", Data: &r.months},
		{Name: "account_id", Data: &r.accounts},
		{Name: "resource_id", Data: &r.resources},
		{Name: "run", Data: &r.runs},
		{Name: "lived", Data: &r.lived},
		{Name: "on_lines", Data: &r.onLines},
		{Name: "excluded", Data: &r.excluded},
	}
	return r
}

func (r *minuteRows) add(run int64, m *schemas.ResourceMinutes) error {
	r.months.Add(r.month.of(m.Month))
	r.accounts.Add(m.AccountID)
	r.resources.Add(m.ResourceID)
	r.runs = append(r.runs, run)
	r.lived = append(r.lived, m.Lived)
	r.onLines = append(r.onLines, m.OnLines)
	r.excluded = append(r.excluded, m.Excluded)
	return nil
}
