package invoices

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/reckon-billing/reckon/internal/audit"
	"github.com/reckon-billing/reckon/internal/clickhouse/column"
	"github.com/reckon-billing/reckon/schemas"
)

// sealedCursor hands out what is stored of a month, resource by resource.
type sealedCursor struct {
	headers *schemas.Sorted[schemas.Invoice]
	lines   *schemas.Sorted[audit.StoredLine]
	hashes  *schemas.Sorted[schemas.InvoiceHash]
	begun   bool
}

// Sealed streams what is stored of a month up to a run, by (account id, resource
// id) ascending.
func (s *Store) Sealed(ctx context.Context, month schemas.Month, run int64) (schemas.Cursor[audit.SealedResource], error) {
	args := []any{column.Bind("month", month.String()), column.Bind("run", run)}
	c := &sealedCursor{}
	var err error
	c.headers, err = sorted(ctx, s, "verify_headers", args, scanHeader, func(h *schemas.Invoice) schemas.ResourceKey {
		return schemas.ResourceKey{AccountID: h.AccountID, ResourceID: h.ResourceID}
	})
	if err != nil {
		return nil, err
	}
	c.lines, err = sorted(ctx, s, "verify_lines", args, scanStoredLine, func(l *audit.StoredLine) schemas.ResourceKey {
		return schemas.ResourceKey{AccountID: l.AccountID, ResourceID: l.ResourceID}
	})
	if err != nil {
		return nil, errors.Join(err, c.Close())
	}
	c.hashes, err = sorted(ctx, s, "verify_hashes", args, scanHash(month), func(h *schemas.InvoiceHash) schemas.ResourceKey {
		return schemas.ResourceKey{AccountID: h.AccountID, ResourceID: h.ResourceID}
	})
	if err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

// Next is the next resource; io.EOF comes after the last.
func (c *sealedCursor) Next() (*audit.SealedResource, error) {
	if !c.begun {
		c.begun = true
		if err := errors.Join(c.headers.Advance(), c.lines.Advance(), c.hashes.Advance()); err != nil {
			return nil, err
		}
	}
	key, more := schemas.Lowest(c.headers, c.lines, c.hashes)
	if !more {
		return nil, io.EOF
	}
	r := &audit.SealedResource{AccountID: key.AccountID, ResourceID: key.ResourceID}
	var err error
	if r.Headers, err = c.headers.Take(key); err != nil {
		return nil, err
	}
	if r.Lines, err = c.lines.Take(key); err != nil {
		return nil, err
	}
	r.Hashes, err = c.hashes.Take(key)
	return r, err
}

// Close ends the queries.
func (c *sealedCursor) Close() error {
	if c.headers != nil {
		_ = c.headers.Close() // always nil, like the others
	}
	if c.lines != nil {
		_ = c.lines.Close()
	}
	if c.hashes != nil {
		_ = c.hashes.Close()
	}
	return nil
}

// sorted streams rows that ascend by resource.
func sorted[T any](ctx context.Context, s *Store, name string, args []any, scan func(*column.Rows) (T, error), of func(*T) schemas.ResourceKey) (*schemas.Sorted[T], error) {
	rows, err := s.db.Rows(ctx, name, args...)
	if err != nil {
		return nil, err
	}
	return &schemas.Sorted[T]{Cursor: &column.Cursor[T]{Rows: rows, Scan: scan}, Of: of}, nil
}

func scanHash(month schemas.Month) func(*column.Rows) (schemas.InvoiceHash, error) {
	return func(c *column.Rows) (schemas.InvoiceHash, error) {
		h := schemas.InvoiceHash{Month: month}
		var hash string
		err := c.Next(&h.AccountID, &h.ResourceID, &h.Code, &h.Run, &hash)
		h.Hash = hashOf(hash)
		return h, err
	}
}

func scanStoredLine(c *column.Rows) (audit.StoredLine, error) {
	var row lineRow
	var l audit.StoredLine
	if err := c.Next(append(row.dest(), &l.Run)...); err != nil {
		return l, err
	}
	line, err := row.line()
	l.Line, l.MonthText = line, row.month
	if err != nil {
		// A month that is none is for the reader to judge; the rest was read.
		l.PeriodStart, l.PeriodEnd, l.Position = row.PeriodStart.UTC(), row.PeriodEnd.UTC(), int(row.position)
		l.Item.Quantity, l.Item.Meter, l.Item.Per = row.fixed, schemas.Meter(row.meter), schemas.Per(row.per)
	}
	return l, nil
}

func scanHeader(c *column.Rows) (schemas.Invoice, error) {
	var (
		h                           schemas.Invoice
		kind, month                 string
		lines                       int64
		sources, ids, types, topics []string
		times                       []time.Time
		partitions                  []int32
		offsets                     []int64
	)
	dest := append([]any{
		&h.Code, &kind, &h.AccountID, &h.ResourceID, &month, &h.Run, &h.CreatedAt, &h.PeriodStart, &h.PeriodEnd, &lines,
	}, scanAmounts(&h.Amounts)...)
	dest = append(dest, &h.LateEvents, &sources, &ids, &types, &times, &topics, &partitions, &offsets)
	if err := c.Next(dest...); err != nil {
		return h, err
	}
	h.Month, _ = schemas.ParseMonth(month) // the zero month for one that is none
	h.Kind, h.Lines = schemas.Kind(kind), int(lines)
	h.CreatedAt, h.PeriodStart, h.PeriodEnd = h.CreatedAt.UTC(), h.PeriodStart.UTC(), h.PeriodEnd.UTC()
	n := max(len(sources), len(ids), len(types), len(times), len(topics), len(partitions), len(offsets))
	for i := range n {
		h.Late = append(h.Late, schemas.EventRef{
			Source: at(sources, i), ID: at(ids, i), Type: schemas.Type(at(types, i)), Time: at(times, i).UTC(),
			Position: schemas.Position{Topic: at(topics, i), Partition: at(partitions, i), Offset: at(offsets, i)},
		})
	}
	return h, nil
}

// at is an element, or nothing beyond the end.
func at[T any](list []T, i int) (none T) {
	if i < len(list) {
		return list[i]
	}
	return none
}

// Strayed finds the header and the lines of an invoice's code that stand
// elsewhere than the invoice does.
func (s *Store) Strayed(ctx context.Context, h *schemas.InvoiceHash) ([]schemas.Invoice, []audit.StoredLine, error) {
	args := []any{
		column.Bind("code", h.Code), column.Bind("month", h.Month.String()), column.Bind("account", h.AccountID), column.Bind("resource", h.ResourceID), column.Bind("run", h.Run),
	}
	headers, err := column.All(ctx, s.db, "strayed_headers", scanHeader, args...)
	if err != nil {
		return nil, nil, fmt.Errorf("look for the header of invoice %s elsewhere: %w", h.Code, err)
	}
	lines, err := column.All(ctx, s.db, "strayed_lines", scanStoredLine, args...)
	if err != nil {
		return nil, nil, fmt.Errorf("look for lines of invoice %s elsewhere: %w", h.Code, err)
	}
	return headers, lines, nil
}
