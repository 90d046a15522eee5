package clickhouse

import (
	"context"

	"github.com/ClickHouse/ch-go/proto"

	"github.com/reckon-billing/reckon/schemas"
)

// writeHashes stores the digests of invoices; the headers come after.
func (s *Store) writeHashes(ctx context.Context, all []schemas.InvoiceHash) error {
	return insertRows(ctx, s, "insert_hashes", 0, all, func(w *writer) table[schemas.InvoiceHash] { return w.hashes })
}

// hashRows are rows of invoice_hashes, by column.
type hashRows struct {
	months                     wordInput
	accounts, resources, codes textInput
	runs                       proto.ColInt64
	hashes                     proto.ColFixedStr

	monthly
}

func newHashRows() *hashRows {
	r := &hashRows{hashes: proto.ColFixedStr{Size: len(schemas.Digest{})}}
	r.all = proto.Input{
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
	r.months.add(r.month.of(h.Month))
	r.accounts.add(h.AccountID)
	r.resources.add(h.ResourceID)
	r.codes.add(h.Code)
	r.runs = append(r.runs, h.Run)
	r.hashes.Append(h.Hash[:])
	return nil
}

func (s *Store) writeMinutes(ctx context.Context, run int64, all []schemas.ResourceMinutes) error {
	return insertRows(ctx, s, "insert_minutes", run, all, func(w *writer) table[schemas.ResourceMinutes] { return w.minutes })
}

// minuteRows are rows of item_minutes, by column.
type minuteRows struct {
	months                         wordInput
	accounts, resources            textInput
	runs, lived, onLines, excluded proto.ColInt64

	monthly
}

func newMinuteRows() *minuteRows {
	r := &minuteRows{}
	r.all = proto.Input{
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
	r.months.add(r.month.of(m.Month))
	r.accounts.add(m.AccountID)
	r.resources.add(m.ResourceID)
	r.runs = append(r.runs, run)
	r.lived = append(r.lived, m.Lived)
	r.onLines = append(r.onLines, m.OnLines)
	r.excluded = append(r.excluded, m.Excluded)
	return nil
}
