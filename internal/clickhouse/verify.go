package clickhouse

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/reckon-billing/reckon/invoicer"
	"github.com/reckon-billing/reckon/schemas"
)

// writeHashes stores the digests of invoices; the headers come after.
func (s *Store) writeHashes(ctx context.Context, all []invoicer.InvoiceHash) error {
	n := len(all)
	months, accounts, resources := make([]string, n), make([]string, n), make([]string, n)
	codes, runs, hashes := make([]string, n), make([]int64, n), make([][]byte, n)
	for i := range all {
		h := &all[i]
		months[i], accounts[i], resources[i] = h.Month.String(), h.AccountID, h.ResourceID
		codes[i], runs[i], hashes[i] = h.Code, h.Run, h.Hash[:]
	}
	return s.insert(ctx, "insert_hashes", "", months, accounts, resources, codes, runs, hashes)
}

func (s *Store) writeMinutes(ctx context.Context, run int64, all []invoicer.ResourceMinutes) error {
	n := len(all)
	months, accounts, resources := make([]string, n), make([]string, n), make([]string, n)
	runs, lived, onLines, excluded := make([]int64, n), make([]int64, n), make([]int64, n), make([]int64, n)
	for i := range all {
		m := &all[i]
		months[i], accounts[i], resources[i], runs[i] = m.Month.String(), m.AccountID, m.ResourceID, run
		lived[i], onLines[i], excluded[i] = m.Lived, m.OnLines, m.Excluded
	}
	return s.insert(ctx, "insert_minutes", "", months, accounts, resources, runs, lived, onLines, excluded)
}

// hashMonths writes the hash of each month that the run issued for, and of the
// month that it sealed. It follows from the invoices that are stored, so that a
// second runner writes the same row.
func (s *Store) hashMonths(ctx context.Context, seal invoicer.Seal) error {
	var months []string
	var hashes []*invoicer.MonthHash
	var month, code, hash string
	err := s.each(ctx, "run_hashes", []any{&month, &code, &hash}, func() error {
		if n := len(months); n == 0 || months[n-1] != month {
			months, hashes = append(months, month), append(hashes, invoicer.NewMonthHash())
		}
		hashes[len(hashes)-1].Add(code, hashOf(hash))
		return nil
	}, bind("run", seal.Run))
	if err != nil {
		return err
	}
	if n := len(months); n == 0 || months[n-1] != seal.Month.String() { // no run issues for a later month
		months, hashes = append(months, seal.Month.String()), append(hashes, invoicer.NewMonthHash())
	}
	runs, counts, sums := make([]int64, len(months)), make([]int64, len(months)), make([][]byte, len(months))
	for i := range months {
		sum := hashes[i].Sum()
		runs[i], counts[i], sums[i] = seal.Run, hashes[i].Invoices, sum[:]
	}
	return s.insert(ctx, "insert_month_hashes", "", months, runs, counts, sums)
}

func hashOf(column string) (h invoicer.Hash) {
	copy(h[:], column)
	return h
}

// RunHash is what one run issued for a month: how many invoices, and their hash.
type RunHash struct {
	Run, Invoices int64
	Hash          invoicer.Hash
}

// MonthHashes are the hashes that were stored with the seals of a month up to a
// run, by run ascending.
func (s *Store) MonthHashes(ctx context.Context, month schemas.Month, run int64) ([]RunHash, error) {
	var all []RunHash
	var one RunHash
	var hash string
	err := s.each(ctx, "month_hashes", []any{&one.Run, &one.Invoices, &hash}, func() error {
		one.Hash = hashOf(hash)
		all = append(all, one)
		return nil
	}, bind("month", month.String()), bind("run", run))
	if err != nil {
		return nil, fmt.Errorf("read the hashes of %s: %w", month, err)
	}
	return all, nil
}

// Rehash computes from the hashes of a month's invoices what [Store.MonthHashes]
// should say.
func (s *Store) Rehash(ctx context.Context, month schemas.Month, run int64) ([]RunHash, error) {
	var all []RunHash
	var current *invoicer.MonthHash
	var number int64
	var code, hash string
	end := func() {
		if current != nil {
			all[len(all)-1].Invoices, all[len(all)-1].Hash = current.Invoices, current.Sum()
		}
	}
	err := s.each(ctx, "sealed_hashes", []any{&number, &code, &hash}, func() error {
		if n := len(all); n == 0 || all[n-1].Run != number {
			end()
			all, current = append(all, RunHash{Run: number}), invoicer.NewMonthHash()
		}
		current.Add(code, hashOf(hash))
		return nil
	}, bind("month", month.String()), bind("run", run))
	if err != nil {
		return nil, fmt.Errorf("read the hashes of the invoices of %s: %w", month, err)
	}
	end()
	return all, nil
}

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
	Hashes  []invoicer.InvoiceHash
}

// SealedCursor hands out what is stored of a month, resource by resource.
type SealedCursor struct {
	headers ahead[schemas.Invoice]
	lines   ahead[StoredLine]
	hashes  ahead[invoicer.InvoiceHash]
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
	c.hashes = ahead[invoicer.InvoiceHash]{cursor: hashes, scan: scanHash(month), of: func(h *invoicer.InvoiceHash) [2]string {
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

func scanHash(month schemas.Month) func(*cursor) (invoicer.InvoiceHash, error) {
	return func(c *cursor) (invoicer.InvoiceHash, error) {
		h := invoicer.InvoiceHash{Month: month}
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
func (s *Store) Strayed(ctx context.Context, h *invoicer.InvoiceHash) ([]schemas.Invoice, []StoredLine, error) {
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

// AccountMinutes are the item-minutes of an account in a month (contract 5.4).
type AccountMinutes struct {
	AccountID                string
	Lived, OnLines, Excluded int64
}

// ItemMinutes yields the item-minutes of a month as they were stored up to a
// run, by account ascending.
func (s *Store) ItemMinutes(ctx context.Context, month schemas.Month, run int64, yield func(AccountMinutes) error) error {
	var m AccountMinutes
	err := s.each(ctx, "verify_minutes", []any{&m.AccountID, &m.Lived, &m.OnLines, &m.Excluded},
		func() error { return yield(m) }, bind("month", month.String()), bind("run", run))
	if err != nil {
		return fmt.Errorf("item-minutes of %s: %w", month, err)
	}
	return nil
}

// ConservationDifference sums what is missing or too much of item-minutes over
// all sealed months and accounts; 0 when all is well.
func (s *Store) ConservationDifference(ctx context.Context) (int64, error) {
	var n int64
	if err := s.row(ctx, "conservation_difference", []any{&n}); err != nil {
		return 0, fmt.Errorf("sum the differences of item-minutes: %w", err)
	}
	return n, nil
}

// StoredOffset is where one message is stored: as an event or as a dead letter.
type StoredOffset struct {
	schemas.Position
	Rejected bool
}

// StoredOffsets streams every message that is stored of what lies before the
// cutoff, by topic, partition and offset ascending.
type StoredOffsets struct{ *cursor }

// StoredOffsets starts the stream; close it after use.
func (s *Store) StoredOffsets(ctx context.Context, cutoff schemas.Cutoff) (*StoredOffsets, error) {
	rows, err := s.stream(ctx, "stored_offsets", bindCutoff("", cutoff)...)
	if err != nil {
		return nil, err
	}
	return &StoredOffsets{rows}, nil
}

// Next is the next message; io.EOF comes after the last.
func (c *StoredOffsets) Next() (StoredOffset, error) {
	var o StoredOffset
	err := c.next(&o.Topic, &o.Partition, &o.Offset, &o.Rejected)
	o.Topic = strings.Clone(o.Topic)
	return o, err
}

// ended tells whether a cursor came to its end.
func ended(err error) bool { return errors.Is(err, io.EOF) }
