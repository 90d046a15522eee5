package clickhouse

import (
	"context"

	"github.com/ClickHouse/ch-go/proto"

	"github.com/reckon-billing/reckon/invoicer"
)

// writeHashes stores the digests of invoices; the headers come after.
func (s *Store) writeHashes(ctx context.Context, all []invoicer.InvoiceHash) error {
	return s.withWriter(ctx, func(ctx context.Context, w *writer) error {
		if w.hashes == nil {
			w.hashes = newHashRows()
		}
		w.hashes.all.Reset()
		for i := range all {
			w.hashes.add(&all[i])
		}
		return w.insert(ctx, "insert_hashes", w.hashes.all)
	})
}

// hashRows are rows of invoice_hashes, by column.
type hashRows struct {
	months                     wordInput
	accounts, resources, codes textInput
	runs                       proto.ColInt64
	hashes                     proto.ColFixedStr

	month monthText
	all   proto.Input
}

func newHashRows() *hashRows {
	r := &hashRows{hashes: proto.ColFixedStr{Size: len(invoicer.Hash{})}}
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

func (r *hashRows) add(h *invoicer.InvoiceHash) {
	r.months.add(r.month.of(h.Month))
	r.accounts.add(h.AccountID)
	r.resources.add(h.ResourceID)
	r.codes.add(h.Code)
	r.runs = append(r.runs, h.Run)
	r.hashes.Append(h.Hash[:])
}

func (s *Store) writeMinutes(ctx context.Context, run int64, all []invoicer.ResourceMinutes) error {
	return s.withWriter(ctx, func(ctx context.Context, w *writer) error {
		if w.minutes == nil {
			w.minutes = newMinuteRows()
		}
		w.minutes.all.Reset()
		for i := range all {
			w.minutes.add(run, &all[i])
		}
		return w.insert(ctx, "insert_minutes", w.minutes.all)
	})
}

// minuteRows are rows of item_minutes, by column.
type minuteRows struct {
	months                         wordInput
	accounts, resources            textInput
	runs, lived, onLines, excluded proto.ColInt64

	month monthText
	all   proto.Input
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

func (r *minuteRows) add(run int64, m *invoicer.ResourceMinutes) {
	r.months.add(r.month.of(m.Month))
	r.accounts.add(m.AccountID)
	r.resources.add(m.ResourceID)
	r.runs = append(r.runs, run)
	r.lived = append(r.lived, m.Lived)
	r.onLines = append(r.onLines, m.OnLines)
	r.excluded = append(r.excluded, m.Excluded)
}
