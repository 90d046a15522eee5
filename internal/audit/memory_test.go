package audit

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/reckon-billing/reckon/aggregate"
	"github.com/reckon-billing/reckon/internal/oracle"
	"github.com/reckon-billing/reckon/invoicer"
	"github.com/reckon-billing/reckon/schemas"
	"github.com/reckon-billing/reckon/schemas/tables"
)

// memory is the store and the log as plain slices, so that laws about what is
// derived can be tried thousands of times. It keeps rows like the real one: a
// write repeated is there once, and what a header does not name does not count.
type memory struct {
	copies []oracle.Copy
	runs   []schemas.Run
	// others are the numbers that runs of another kind have. Where set, taken is asked
	// before every run that is added whether one of them comes first.
	others    map[int64]bool
	taken     func() bool
	seals     map[int64]invoicer.Seal
	touched   map[int64]map[[2]string]bool
	snapshots map[snapshotKey]schemas.Snapshot
	lines     map[string][]schemas.Line
	headers   map[string]schemas.Invoice
	// minutes are those of a resource in a month, by the run that counted them; periods
	// and hashes are by the keys of their rows and the run.
	minutes   map[snapshotKey]schemas.ResourceMinutes
	periods   map[writtenKey]schemas.Period
	hashes    map[writtenKey]schemas.InvoiceHash
	anomalies map[anomalyKey]schemas.Anomaly
	surveys   surveyMemory
	// broken makes the rows of an account unreadable, or those of "account/resource", or
	// the copies of an event "source/id of account".
	broken map[string]error
	// spoil, where set, may make a snapshot unreadable as it is read.
	spoil func(*schemas.Snapshot)
	// fail, where set, is asked before every write.
	fail func(what string) error
}

type snapshotKey struct {
	at                int
	account, resource string
	run               int64
}

type writtenKey struct {
	tables.RowKey
	run int64
}

func newMemory() *memory {
	return &memory{
		seals: map[int64]invoicer.Seal{}, touched: map[int64]map[[2]string]bool{}, snapshots: map[snapshotKey]schemas.Snapshot{},
		minutes: map[snapshotKey]schemas.ResourceMinutes{}, periods: map[writtenKey]schemas.Period{}, hashes: map[writtenKey]schemas.InvoiceHash{},
		lines: map[string][]schemas.Line{}, headers: map[string]schemas.Invoice{}, broken: map[string]error{},
		others: map[int64]bool{}, anomalies: map[anomalyKey]schemas.Anomaly{}, surveys: newSurveyMemory(),
	}
}

func (m *memory) trouble(what string) error {
	if m.fail == nil {
		return nil
	}
	return m.fail(what)
}

// rows is a cursor over a slice.
type rows[T any] struct{ left []T }

func (r *rows[T]) Next() (*T, error) {
	if len(r.left) == 0 {
		return nil, io.EOF
	}
	row := r.left[0]
	r.left = r.left[1:]
	return &row, nil
}

func (r *rows[T]) Close() error { return nil }

func (m *memory) inScope(s aggregate.Scope, account, resource string) bool {
	if only := s.Only; only != nil && (account != only.AccountID || resource != "" && resource != only.ResourceID) {
		return false
	}
	if s.Accounts != nil && !slices.Contains(s.Accounts, account) || slices.Contains(s.Except, account) {
		return false
	}
	marked := m.touched[s.Run]
	if s.Survey != "" {
		marked = m.surveys.touched[s.Survey]
	}
	touched := marked[[2]string{account, resource}]
	if s.Touched == aggregate.OnlyTouched && resource == "" {
		for k := range marked {
			touched = touched || k[0] == account
		}
	}
	return s.Touched == aggregate.All || touched == (s.Touched == aggregate.OnlyTouched)
}

func (m *memory) Events(_ context.Context, s aggregate.Scope, what aggregate.What) (schemas.Cursor[aggregate.Rows], error) {
	var out []aggregate.Copy
	to := s.To
	if what == aggregate.Usage {
		to = s.UsageTo
	}
	for _, c := range m.copies {
		usage := c.Type == schemas.UsageRecorded
		if usage == (what == aggregate.Usage) && s.Cutoff.Contains(c.Position) && !c.Time.Before(s.From) &&
			c.Time.Before(to) && m.inScope(s, c.AccountID, c.ResourceID) {
			out = append(out, aggregate.Copy{Event: c.Event, Position: c.Position, KafkaTime: c.KafkaTime, Err: cmp.Or(
				m.broken[c.AccountID], m.broken[c.AccountID+"/"+c.ResourceID], m.broken[c.Source+"/"+c.ID+" of "+c.AccountID],
			)})
		}
	}
	slices.SortFunc(out, func(a, b aggregate.Copy) int {
		return cmp.Or(strings.Compare(a.AccountID, b.AccountID), strings.Compare(a.ResourceID, b.ResourceID),
			a.Compare(&b.Event), schemas.ComparePositions(a.Position, b.Position))
	})
	return aggregate.RowsOf(&rows[aggregate.Copy]{out}), nil
}

func (m *memory) Strays(_ context.Context, cutoff schemas.Cutoff) (schemas.Cursor[aggregate.StrayCopy], error) {
	type place struct {
		account, resource string
		at                time.Time
		sequence          int64
		usage             bool
	}
	at := map[schemas.Hash]map[place]bool{}
	of := map[schemas.Hash][]aggregate.StrayCopy{}
	for _, c := range m.copies {
		if cutoff.Contains(c.Position) {
			id := schemas.Identity(c.Source, c.ID)
			if at[id] == nil {
				at[id] = map[place]bool{}
			}
			at[id][place{c.AccountID, c.ResourceID, c.Time, c.Sequence, c.Type == schemas.UsageRecorded}] = true
			of[id] = append(of[id], aggregate.StrayCopy{Identity: id, Position: c.Position, KafkaTime: c.KafkaTime})
		}
	}
	var out []aggregate.StrayCopy
	for id, places := range at {
		if len(places) > 1 {
			out = append(out, of[id]...)
		}
	}
	return &rows[aggregate.StrayCopy]{out}, nil
}

func (m *memory) Snapshots(_ context.Context, s aggregate.Scope) (schemas.Cursor[schemas.Snapshot], error) {
	best := map[[2]string]snapshotKey{}
	for k, e := range m.snapshots {
		if k.run >= s.Run || k.at > s.Month.Index() || (k.at < s.Month.Index() && !e.Deleted) || !m.inScope(s, k.account, k.resource) {
			continue
		}
		id := [2]string{k.account, k.resource}
		if b, ok := best[id]; !ok || b.at < k.at || (b.at == k.at && b.run < k.run) {
			best[id] = k
		}
	}
	var out []schemas.Snapshot
	for _, k := range best {
		s := m.snapshots[k]
		if m.spoil != nil {
			m.spoil(&s)
		}
		out = append(out, s)
	}
	slices.SortFunc(out, func(a, b schemas.Snapshot) int {
		return cmp.Or(strings.Compare(a.AccountID, b.AccountID), strings.Compare(a.ResourceID, b.ResourceID))
	})
	return &rows[schemas.Snapshot]{out}, nil
}

func (m *memory) Ends(context.Context) ([]schemas.PartitionEnd, error) {
	ends := map[schemas.Position]int64{}
	for _, c := range m.copies {
		p := schemas.Position{Topic: c.Position.Topic, Partition: c.Position.Partition}
		ends[p] = max(ends[p], c.Position.Offset+1)
	}
	var out []schemas.PartitionEnd
	for p, end := range ends {
		out = append(out, schemas.PartitionEnd{Topic: p.Topic, Partition: p.Partition, End: end})
	}
	return out, nil
}

func (m *memory) Stored(ctx context.Context) ([]schemas.PartitionEnd, error) { return m.Ends(ctx) }

func (m *memory) Runs(context.Context) ([]schemas.Run, error) { return slices.Clone(m.runs), nil }

func (m *memory) AddRun(ctx context.Context, run schemas.Run) (schemas.Run, error) {
	if err := m.trouble("run"); err != nil {
		return run, err
	}
	next, _ := m.NextNumber(ctx)
	for m.taken != nil && m.taken() {
		m.others[next] = true
		next++
	}
	if run.Number >= next {
		m.runs = append(m.runs, run)
		return run, nil
	}
	if m.others[run.Number] {
		return schemas.Run{Number: run.Number, Kind: "account"}, nil
	}
	return m.runs[slices.IndexFunc(m.runs, func(r schemas.Run) bool { return r.Number == run.Number })], nil
}

func (m *memory) NextNumber(context.Context) (int64, error) {
	var newest int64
	for number := range m.others {
		newest = max(newest, number)
	}
	for i := range m.runs {
		newest = max(newest, m.runs[i].Number)
	}
	return newest + 1, nil
}

func (m *memory) Seals(context.Context) ([]invoicer.Seal, error) {
	var out []invoicer.Seal
	for _, s := range m.seals {
		out = append(out, s)
	}
	return out, nil
}

func (m *memory) AddSeal(_ context.Context, seal invoicer.Seal) error {
	if err := m.trouble("seal"); err != nil {
		return err
	}
	if err := m.whole(); err != nil {
		return err
	}
	if was, sealed := m.seals[seal.Run]; !sealed || len(seal.Parked) <= len(was.Parked) {
		m.seals[seal.Run] = seal
	}
	return nil
}

// whole says which invoice is not stored whole, nil for none.
func (m *memory) whole() error {
	hashed := map[string]int64{}
	for _, h := range m.hashes {
		hashed[h.Code]++
	}
	for code, h := range m.headers {
		lines := int64(len(m.lines[code]))
		if lines != int64(h.Lines) || hashed[code] != 1 {
			return &invoicer.LacksError{
				Run: h.Run, AccountID: h.AccountID, ResourceID: h.ResourceID, Code: code, Lines: lines, Want: int64(h.Lines), Hashes: hashed[code],
			}
		}
	}
	return nil
}

// happens stores an event of resource r of account a.
func (m *memory) happens(kind schemas.Type, at time.Time, change func(*schemas.Event)) {
	offset := int64(len(m.copies))
	e := schemas.Event{Source: "s", ID: fmt.Sprint(offset), Type: kind, AccountID: "a", ResourceID: "r", Time: at.UTC()}
	change(&e)
	m.copies = append(m.copies, oracle.Copy{Event: e, Position: schemas.Position{Topic: "billing.lifecycle", Offset: offset}, KafkaTime: e.Time})
}

func (m *memory) MarkTouched(_ context.Context, run schemas.Run, since schemas.Cutoff, sealedTo time.Time) (int64, error) {
	m.touched[run.Number] = m.touches(run.Cutoff, since, sealedTo)
	return int64(len(m.touched[run.Number])), nil
}

// touches is what events between two cutoffs can change of the months before sealedTo.
func (m *memory) touches(cutoff, since schemas.Cutoff, sealedTo time.Time) map[[2]string]bool {
	day := sealedTo.Add(24*time.Hour + time.Millisecond)
	failed := map[[2]string]bool{}
	for _, c := range m.copies {
		if c.Type == schemas.ResourceProvisionFailed && cutoff.Contains(c.Position) && !c.Time.Before(sealedTo) && c.Time.Before(day) {
			failed[[2]string{c.AccountID, c.ResourceID}] = true
		}
	}
	set, accounts := map[[2]string]bool{}, map[string]bool{}
	for _, c := range m.copies {
		k := [2]string{c.AccountID, c.ResourceID}
		if !cutoff.Contains(c.Position) || since.Contains(c.Position) {
			continue
		}
		if c.Time.Before(sealedTo) || (c.Type != schemas.UsageRecorded && c.Time.Before(day) && failed[k]) {
			set[k] = true
			if c.ResourceID == "" {
				accounts[c.AccountID] = true
			}
		}
	}
	for _, c := range m.copies {
		if accounts[c.AccountID] && cutoff.Contains(c.Position) {
			set[[2]string{c.AccountID, c.ResourceID}] = true
		}
	}
	return set
}

func (m *memory) Write(_ context.Context, b invoicer.Batch) error {
	for _, l := range b.Lines {
		if err := m.trouble("line"); err != nil {
			return err
		}
		same := func(o schemas.Line) bool {
			return o.PeriodStart.Equal(l.PeriodStart) && o.Position == l.Position && o.CouponCode == l.CouponCode && o.Number == l.Number
		}
		if i := slices.IndexFunc(m.lines[l.InvoiceCode], same); i >= 0 {
			m.lines[l.InvoiceCode][i] = l
			continue
		}
		m.lines[l.InvoiceCode] = append(m.lines[l.InvoiceCode], l)
	}
	for _, e := range b.Snapshots {
		if err := m.trouble("snapshot"); err != nil {
			return err
		}
		e.Balance, e.Before = nil, nil
		m.snapshots[snapshotKey{e.At.Index(), e.AccountID, e.ResourceID, b.Run.Number}] = e
	}
	for _, a := range b.Anomalies {
		if err := m.trouble("anomaly"); err != nil {
			return err
		}
		m.anomalies[keyOf(a)] = a
	}
	for _, l := range b.Minutes {
		m.minutes[snapshotKey{l.Month.Index(), l.AccountID, l.ResourceID, b.Run.Number}] = l
	}
	for _, p := range b.Periods {
		m.periods[writtenKey{tables.PeriodKey(&p), b.Run.Number}] = p
	}
	for _, h := range b.Hashes {
		m.hashes[writtenKey{tables.HashKey(&h), b.Run.Number}] = h
	}
	for _, h := range b.Invoices {
		if err := m.trouble("header"); err != nil {
			return err
		}
		m.headers[h.Code] = h
	}
	return nil
}

func (m *memory) Invoiced(_ context.Context, run int64, _ []string) (schemas.Cursor[schemas.Line], error) {
	return m.invoicedOf(run, func(account, resource string) bool { return m.touched[run][[2]string{account, resource}] })
}

func (m *memory) AllInvoiced(_ context.Context, run int64) (schemas.Cursor[schemas.Line], error) {
	return m.invoicedOf(run, func(string, string) bool { return true })
}

func (m *memory) invoicedOf(run int64, wanted func(account, resource string) bool) (schemas.Cursor[schemas.Line], error) {
	type row struct {
		schemas.Line
		run int64
	}
	var out []row
	for code, h := range m.headers {
		if h.Run < run && wanted(h.AccountID, h.ResourceID) {
			for _, l := range m.lines[code] {
				out = append(out, row{l, h.Run})
			}
		}
	}
	slices.SortFunc(out, func(a, b row) int {
		return cmp.Or(strings.Compare(a.AccountID, b.AccountID), strings.Compare(a.ResourceID, b.ResourceID),
			cmp.Compare(a.run, b.run), a.Month.Compare(b.Month), cmp.Compare(a.Number, b.Number))
	})
	lines := make([]schemas.Line, len(out))
	for i := range out {
		lines[i] = out[i].Line
	}
	return &rows[schemas.Line]{lines}, nil
}

// written yields every row of a run but headers, with the invoice that it is of, if
// any, and what removes it.
func (m *memory) written(run int64, yield func(key tables.RowKey, invoice string, remove func())) {
	for code, lines := range m.lines {
		for i := range lines {
			if l := lines[i]; l.Run == run {
				yield(tables.LineKey(&l), code, func() {
					same := func(o schemas.Line) bool { return tables.LineKey(&o) == tables.LineKey(&l) }
					if m.lines[code] = slices.DeleteFunc(slices.Clone(m.lines[code]), same); len(m.lines[code]) == 0 {
						delete(m.lines, code)
					}
				})
			}
		}
	}
	for k, s := range m.snapshots {
		if k.run == run {
			yield(tables.SnapshotKey(&s), "", func() { delete(m.snapshots, k) })
		}
	}
	for k, l := range m.minutes {
		if k.run == run {
			yield(tables.MinutesKey(&l), "", func() { delete(m.minutes, k) })
		}
	}
	for k := range m.periods {
		if k.run == run {
			yield(k.RowKey, "", func() { delete(m.periods, k) })
		}
	}
	for k, h := range m.hashes {
		if k.run == run {
			yield(k.RowKey, h.Code, func() { delete(m.hashes, k) })
		}
	}
}

func (m *memory) Written(_ context.Context, run int64, accounts []string) (schemas.Cursor[tables.RowKey], error) {
	var out []tables.RowKey
	m.written(run, func(k tables.RowKey, _ string, _ func()) {
		if slices.Contains(accounts, k.AccountID) {
			out = append(out, k)
		}
	})
	slices.SortFunc(out, func(a, b tables.RowKey) int { return a.Compare(b.ResourceKey) })
	return &rows[tables.RowKey]{out}, nil
}

func (m *memory) Forget(_ context.Context, run int64, keys []tables.RowKey) error {
	m.written(run, func(k tables.RowKey, invoice string, remove func()) {
		_, issued := m.headers[invoice]
		for _, h := range m.headers {
			issued = issued || invoice == "" && h.Run == run && h.AccountID == k.AccountID && h.ResourceID == k.ResourceID
		}
		if slices.Contains(keys, k) && !issued {
			remove()
		}
	})
	return nil
}
