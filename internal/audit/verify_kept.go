package audit

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/reckon-billing/reckon/aggregate"
	"github.com/reckon-billing/reckon/schemas"
)

// keptCheck compares what one run of the month stored beside its invoices with what its
// events come to at its cutoff: periods, item-minutes, and what the next month begins
// with. It is asked resource by resource.
type keptCheck struct {
	*proof
	run schemas.Run
	// sealing: the run sealed the month; it alone stored periods and everybody's
	// minutes. Another has settled since, as long as there was no later month.
	sealing bool

	periods   *keptRows[schemas.Period]
	snapshots *keptRows[schemas.Snapshot]
	minutes   *keptRows[schemas.ResourceMinutes]
	pairing   pairing
}

// keptRows are the rows of a kind, with the next resource's in sight.
type keptRows[T any] struct {
	Kept[T]
	*schemas.Sorted[KeptRow]
	form  RowForm[T]
	month schemas.Month
}

func openKept[T any](ctx context.Context, of Kept[T], month schemas.Month, run int64) (*keptRows[T], error) {
	rows, err := of.Kept(ctx, month, run)
	if err != nil {
		return nil, err
	}
	k := &keptRows[T]{Kept: of, form: of.Form(), month: month}
	k.Sorted = &schemas.Sorted[KeptRow]{Cursor: rows, Of: func(r *KeptRow) schemas.ResourceKey { return r.ResourceKey }}
	return k, k.Advance()
}

// kept opens what a run of the month stored.
func (p *proof) kept(ctx context.Context, run schemas.Run) (*keptCheck, error) {
	c := &keptCheck{proof: p, run: run, sealing: true, pairing: pairing{proof: p}}
	for _, earlier := range p.all[:p.runs[run.Number]] {
		c.sealing = c.sealing && earlier.Month.Before(run.Month)
	}
	p.Kept.Runs++
	var errs [3]error
	c.periods, errs[0] = openKept(ctx, p.KeptPeriods, p.Month, run.Number)
	c.snapshots, errs[1] = openKept(ctx, p.KeptSnapshots, p.Month.Next(), run.Number)
	c.minutes, errs[2] = openKept(ctx, p.KeptMinutes, p.Month, run.Number)
	if err := errors.Join(errs[:]...); err != nil {
		c.close()
		return nil, fmt.Errorf("read what run %d kept of %s: %w", run.Number, p.Month, err)
	}
	return c, nil
}

func (c *keptCheck) close() {
	if c == nil {
		return
	}
	if c.periods != nil {
		_ = c.periods.Close() // what matters came from Next
	}
	if c.snapshots != nil {
		_ = c.snapshots.Close()
	}
	if c.minutes != nil {
		_ = c.minutes.Close()
	}
}

// keptByLast is of the last run of all, nil where that is of another month.
func (p *proof) keptByLast(ctx context.Context) (*keptCheck, error) {
	if p.Run.Month != p.Month {
		return nil, nil
	}
	return p.kept(ctx, p.Run)
}

// asSealed derives the month again as each of its runs did, and compares what they
// kept; what the last run of all kept was compared with the invoices.
func (p *proof) asSealed(ctx context.Context) error {
	for _, run := range p.all {
		if run.Month != p.Month || run.Number == p.Run.Number {
			continue
		}
		c, err := p.kept(ctx, run)
		if err != nil {
			return err
		}
		err = p.asRun(ctx, c)
		c.close()
		if err != nil {
			return fmt.Errorf("derive %s again as run %d did: %w", p.Month, run.Number, err)
		}
	}
	return nil
}

func (p *proof) asRun(ctx context.Context, c *keptCheck) error {
	told, err := p.told(ctx, c.run)
	if err != nil {
		return err
	}
	defer told.close()
	plan, deriver := p.plan(c.run.Number, p.Month), &aggregate.Deriver{Source: p.Events, Zone: p.Zone}
	plan.Except = p.except
	told.ask(&plan, deriver)
	err = deriver.Derive(ctx, plan, func(d schemas.Derived) error {
		if d.Err != nil {
			return p.differ("account %q cannot be derived as run %d did: %v", d.AccountID, c.run.Number, d.Err)
		}
		return errors.Join(c.resource(&d), told.resource(&d))
	})
	if err != nil {
		return err
	}
	return errors.Join(c.end(ctx), told.end(ctx))
}

func (c *keptCheck) keptName(table string, of schemas.ResourceKey) string {
	if of.ResourceID == "" {
		return fmt.Sprintf("%s of account %q", table, of.AccountID)
	}
	return fmt.Sprintf("%s of account %q, resource %q", table, of.AccountID, of.ResourceID)
}

// take takes the rows of a resource. What comes before is of resources that have
// nothing: strays, if they are the run's.
func take[T any](c *keptCheck, k *keptRows[T], key schemas.ResourceKey, ours func(*KeptRow) bool) ([]KeptRow, error) {
	if err := pass(c, k, ours, func(at schemas.ResourceKey) bool { return at.Compare(key) < 0 }); err != nil {
		return nil, err
	}
	var rows []KeptRow
	for k.At(key) {
		if n := len(rows); ours(k.Row) && (n == 0 || rows[n-1] != *k.Row) {
			rows = append(rows, *k.Row)
		}
		if err := k.Advance(); err != nil {
			return nil, err
		}
	}
	return rows, nil
}

// pass goes past rows that belong to no resource that has any.
func pass[T any](c *keptCheck, k *keptRows[T], ours func(*KeptRow) bool, before func(schemas.ResourceKey) bool) error {
	for k.Row != nil && before(k.Key) {
		if ours(k.Row) && k.Row.Run == c.run.Number && !slices.Contains(c.except, k.Key.AccountID) {
			if err := c.stray(k.Row, k.form.Columns); err != nil {
				return err
			}
		}
		if err := k.Advance(); err != nil {
			return err
		}
	}
	return nil
}

// end tells of what is left, and of all that differs.
func (c *keptCheck) end(ctx context.Context) error {
	if c == nil {
		return nil
	}
	all := func(schemas.ResourceKey) bool { return true }
	every := func(*KeptRow) bool { return true }
	if c.sealing {
		if err := errors.Join(pass(c, c.periods, every, all), pass(c, c.minutes, every, all)); err != nil {
			return err
		}
	}
	if err := pass(c, c.snapshots, every, all); err != nil {
		return err
	}
	return c.pairing.tell(ctx)
}

func (c *keptCheck) stray(row *KeptRow, columns func(string) ([]Value, error)) error {
	values, err := columns(row.Text)
	if err != nil {
		return err
	}
	what, run := c.keptName(values[0].Text, row.ResourceKey), row.Run
	return c.pairing.astray(&strayRow{values: values, tell: func() error {
		return c.differ("%s: a row of run %d that it did not store: %s", what, run, rowText(values))
	}})
}

// compareKept compares the rows of a resource with those that there must be, each of
// one of a few texts.
func compareKept[T any](c *keptCheck, k *keptRows[T], key schemas.ResourceKey, rows []KeptRow, wants [][]string) error {
	left := slices.Clone(rows)
	for _, texts := range wants {
		i := slices.IndexFunc(left, func(r KeptRow) bool { return slices.Contains(texts, r.Text) })
		if i >= 0 {
			left = slices.Delete(left, i, i+1)
			continue
		}
		if err := loseKept(c, k, key, texts[0], nil); err != nil {
			return err
		}
	}
	for i := range left {
		if err := c.stray(&left[i], k.form.Columns); err != nil {
			return err
		}
	}
	return nil
}

// loseKept notes a row that is not there; gone, where it is set, tells of it if it is
// nowhere else either.
func loseKept[T any](c *keptCheck, k *keptRows[T], key schemas.ResourceKey, text string, gone func() error) error {
	want, err := k.form.Columns(text)
	if err != nil {
		return err
	}
	lost := &lostRow{what: c.keptName(want[0].Text, key), asSays: "derived", want: want}
	lost.elsewhere = func(ctx context.Context) ([][]Value, error) {
		rows, err := k.Elsewhere(ctx, key, k.month, c.run.Number)
		if err != nil {
			return nil, err
		}
		all := make([][]Value, len(rows))
		for i := range rows {
			if all[i], err = k.form.Columns(rows[i].Text); err != nil {
				return nil, err
			}
		}
		return all, nil
	}
	if lost.gone = gone; gone == nil {
		lost.gone = func() error {
			return c.differ("%s: a row that run %d stored is gone: %s", lost.what, c.run.Number, rowText(want))
		}
	}
	return c.pairing.lose(lost)
}

// rowText shows the columns of a row that say anything, the first ones.
func rowText(row []Value) string {
	const most = 8
	var said []string
	for _, v := range row[1:] {
		if v.Text != "" && len(said) < most && v.Name != "state" {
			said = append(said, v.Name+" "+strconv.Quote(v.Text))
		}
	}
	return strings.Join(said, ", ")
}
