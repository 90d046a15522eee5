package clickhouse

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/reckon-billing/reckon/schemas"
)

// StoredLine is a line as it stands in the store.
type StoredLine struct {
	schemas.Line
	Run int64
	// Month is the column's text, which may be no month.
	MonthText string
}

// SealedResource is what is stored of one resource in one month.
type SealedResource struct {
	AccountID, ResourceID string
	// Headers, Lines and Hashes each ascend by run and code. Lines without a header
	// and hashes without one are among them.
	Headers []schemas.Invoice
	Lines   []StoredLine
	Hashes  []schemas.InvoiceHash
}

// SealedCursor hands out what is stored of a month, resource by resource.
type SealedCursor struct {
	headers ahead[schemas.Invoice]
	lines   ahead[StoredLine]
	hashes  ahead[schemas.InvoiceHash]
}

// Sealed streams what is stored of a month up to a run, by (account id, resource
// id) ascending.
func (s *Store) Sealed(ctx context.Context, month schemas.Month, run int64) (*SealedCursor, error) {
	args := []any{bind("month", month.String()), bind("run", run)}
	c := &SealedCursor{}
	headers, err := s.stream(ctx, "verify_headers", args...)
	if err != nil {
		return nil, err
	}
	c.headers = ahead[schemas.Invoice]{cursor: headers, scan: scanHeader, of: func(h *schemas.Invoice) [2]string {
		return [2]string{h.AccountID, h.ResourceID}
	}}
	lines, err := s.stream(ctx, "verify_lines", args...)
	if err != nil {
		return nil, errors.Join(err, c.Close())
	}
	c.lines = ahead[StoredLine]{cursor: lines, scan: scanStoredLine, of: func(l *StoredLine) [2]string {
		return [2]string{l.AccountID, l.ResourceID}
	}}
	hashes, err := s.stream(ctx, "verify_hashes", args...)
	if err != nil {
		return nil, errors.Join(err, c.Close())
	}
	c.hashes = ahead[schemas.InvoiceHash]{cursor: hashes, scan: scanHash(month), of: func(h *schemas.InvoiceHash) [2]string {
		return [2]string{h.AccountID, h.ResourceID}
	}}
	return c, nil
}

// Next is the next resource; io.EOF comes after the last.
func (c *SealedCursor) Next() (*SealedResource, error) {
	var key [2]string
	found := false
	for _, stream := range []interface{ peek() ([2]string, error) }{&c.headers, &c.lines, &c.hashes} {
		k, err := stream.peek()
		if errors.Is(err, io.EOF) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if !found || k[0] < key[0] || k[0] == key[0] && k[1] < key[1] {
			key, found = k, true
		}
	}
	if !found {
		return nil, io.EOF
	}
	r := &SealedResource{AccountID: key[0], ResourceID: key[1]}
	var err error
	if r.Headers, err = c.headers.take(key); err != nil {
		return nil, err
	}
	if r.Lines, err = c.lines.take(key); err != nil {
		return nil, err
	}
	r.Hashes, err = c.hashes.take(key)
	return r, err
}

// Close ends the queries.
func (c *SealedCursor) Close() error {
	for _, cursor := range []*cursor{c.headers.cursor, c.lines.cursor, c.hashes.cursor} {
		if cursor != nil {
			_ = cursor.Close() // always nil
		}
	}
	return nil
}

// ahead is a cursor with its next row in sight.
type ahead[T any] struct {
	cursor *cursor
	scan   func(*cursor) (T, error)
	of     func(*T) [2]string
	row    *T
}

func (a *ahead[T]) peek() ([2]string, error) {
	if a.row == nil {
		row, err := a.scan(a.cursor)
		if err != nil {
			return [2]string{}, err
		}
		a.row = &row
	}
	return a.of(a.row), nil
}

// take reads all rows of a key.
func (a *ahead[T]) take(key [2]string) ([]T, error) {
	var out []T
	for {
		k, err := a.peek()
		if errors.Is(err, io.EOF) || err == nil && k != key {
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		out, a.row = append(out, *a.row), nil
	}
}

func scanHash(month schemas.Month) func(*cursor) (schemas.InvoiceHash, error) {
	return func(c *cursor) (schemas.InvoiceHash, error) {
		h := schemas.InvoiceHash{Month: month}
		var hash string
		err := c.next(&h.AccountID, &h.ResourceID, &h.Code, &h.Run, &hash)
		h.Hash = hashOf(hash)
		return h, err
	}
}

func scanStoredLine(c *cursor) (StoredLine, error) {
	var row lineRow
	var l StoredLine
	if err := c.next(append(row.dest(), &l.Run)...); err != nil {
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

func scanHeader(c *cursor) (schemas.Invoice, error) {
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
	if err := c.next(dest...); err != nil {
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
func (s *Store) Strayed(ctx context.Context, h *schemas.InvoiceHash) ([]schemas.Invoice, []StoredLine, error) {
	args := []any{
		bind("code", h.Code), bind("month", h.Month.String()), bind("account", h.AccountID), bind("resource", h.ResourceID), bind("run", h.Run),
	}
	headers, err := all(ctx, s, "strayed_headers", scanHeader, args...)
	if err != nil {
		return nil, nil, fmt.Errorf("look for the header of invoice %s elsewhere: %w", h.Code, err)
	}
	lines, err := all(ctx, s, "strayed_lines", scanStoredLine, args...)
	if err != nil {
		return nil, nil, fmt.Errorf("look for lines of invoice %s elsewhere: %w", h.Code, err)
	}
	return headers, lines, nil
}

// all reads a query to its end.
func all[T any](ctx context.Context, s *Store, name string, scan func(*cursor) (T, error), args ...any) ([]T, error) {
	rows, err := s.stream(ctx, name, args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }() // always nil
	var out []T
	for {
		row, err := scan(rows)
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		out = append(out, row)
	}
}
