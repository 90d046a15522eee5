package invoices

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/reckon-billing/reckon/internal/audit"
	"github.com/reckon-billing/reckon/internal/clickhouse/column"
	"github.com/reckon-billing/reckon/schemas"
	"github.com/reckon-billing/reckon/schemas/tables"
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
	c.headers, err = sorted(ctx, s, "verify_headers", args, newRowScan(tables.Invoices()).read, func(h *schemas.Invoice) schemas.ResourceKey {
		return schemas.ResourceKey{AccountID: h.AccountID, ResourceID: h.ResourceID}
	})
	if err != nil {
		return nil, err
	}
	c.lines, err = sorted(ctx, s, "verify_lines", args, storedLine(), func(l *audit.StoredLine) schemas.ResourceKey {
		return schemas.ResourceKey{AccountID: l.AccountID, ResourceID: l.ResourceID}
	})
	if err != nil {
		return nil, errors.Join(err, c.Close())
	}
	c.hashes, err = sorted(ctx, s, "verify_hashes", args, newRowScan(tables.InvoiceHashes()).read, func(h *schemas.InvoiceHash) schemas.ResourceKey {
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

// storedLine reads a line, also one whose month is none: that is for the reader to
// judge.
func storedLine() func(*column.Rows) (audit.StoredLine, error) {
	row := newRowScan(tables.Lines())
	return func(rows *column.Rows) (audit.StoredLine, error) {
		l, err := row.read(rows)
		return audit.StoredLine{Line: l, MonthText: row.monthText}, err
	}
}

// Strayed finds the header and the lines of an invoice's code that stand
// elsewhere than the invoice does.
func (s *Store) Strayed(ctx context.Context, h *schemas.InvoiceHash) ([]schemas.Invoice, []audit.StoredLine, error) {
	args := []any{
		column.Bind("code", h.Code), column.Bind("month", h.Month.String()), column.Bind("account", h.AccountID), column.Bind("resource", h.ResourceID), column.Bind("run", h.Run),
	}
	headers, err := column.All(ctx, s.db, "strayed_headers", newRowScan(tables.Invoices()).read, args...)
	if err != nil {
		return nil, nil, fmt.Errorf("look for the header of invoice %s elsewhere: %w", h.Code, err)
	}
	lines, err := column.All(ctx, s.db, "strayed_lines", storedLine(), args...)
	if err != nil {
		return nil, nil, fmt.Errorf("look for lines of invoice %s elsewhere: %w", h.Code, err)
	}
	return headers, lines, nil
}
