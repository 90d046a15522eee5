package audit

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/reckon-billing/reckon/aggregate"
	"github.com/reckon-billing/reckon/internal/oracle"
	"github.com/reckon-billing/reckon/internal/oracle/histories"
	"github.com/reckon-billing/reckon/invoicer"
	"github.com/reckon-billing/reckon/schemas"
	"github.com/reckon-billing/reckon/schemas/tables"
)

// judge says what is wrong with how a command ended, nil for nothing. It is asked in the
// turn of its runner.
func (s *story) judge(a *actor, v *invoicer.Invoicer, c command, err error) error {
	if errors.Is(err, errKilled) {
		return nil
	}
	if errors.Is(err, invoicer.ErrNothingSealed) && c.all && len(a.sawFirst) == 0 {
		return nil
	}
	var setting *invoicer.SettingError
	refused := errors.As(err, &setting)
	if refused && len(a.saw) == 0 && v.FirstMonth.IsZero() {
		return nil // its seal would have been the first, and forgotten a month that was lived
	}
	if len(s.m.runs) == 0 {
		return fmt.Errorf("without any run it ended with %w", said(err))
	}
	fixed := s.m.runs[0]
	fits := fixed.Zone == v.Zone.String() && fixed.Currency == v.Currency.Code && (v.FirstMonth.IsZero() || v.FirstMonth == fixed.FirstMonth)
	if early := c.month.Before(fixed.FirstMonth) && !c.month.IsZero(); !fits || early {
		if !refused {
			return fmt.Errorf("the first run fixed %s, %s and %s, and it ended with %w", fixed.Zone, fixed.Currency, fixed.FirstMonth, said(err))
		}
		return nil
	}
	if err != nil {
		return err
	}
	return s.judgeSuccess(a, c, fixed.FirstMonth)
}

// judgeSuccess says which month is not sealed, or not settled, though a command that seals
// it says that it has succeeded.
func (s *story) judgeSuccess(a *actor, c command, first schemas.Month) error {
	if c.all {
		return s.judgeAll(a)
	}
	month, settles := c.month, false
	if month.IsZero() {
		month = november() // what is due
	}
	for _, run := range a.sawFirst {
		settles = settles || run.Month == c.month
	}
	for _, end := range a.noted {
		last := s.m.runs[len(s.m.runs)-1]
		if settles && !last.Cutoff.Contains(schemas.Position{Topic: end.Topic, Offset: end.End - 1}) {
			return fmt.Errorf("it succeeded, and what came late to %s is not settled", month)
		}
	}
	for _, run := range s.m.runs {
		if _, sealed := s.m.seals[run.Number]; sealed && run.Month == month {
			return nil
		}
	}
	if month.Before(first) {
		return nil
	}
	return fmt.Errorf("it succeeded, and %s is not sealed", month)
}

// judgeAll says that not all was settled since the command came.
func (s *story) judgeAll(a *actor) error {
	for _, run := range s.m.runs[len(a.sawFirst):] {
		if _, sealed := s.m.seals[run.Number]; sealed && run.SettleAll {
			return nil
		}
	}
	return errors.New("it succeeded, and not every month of every resource is settled")
}

// said is how a command ended, in words where it succeeded.
func said(err error) error {
	if err == nil {
		return errors.New("success")
	}
	return err
}

// checkEnd lets a last runner finish, and compares what then stands with what one
// runner makes of the same runs, and with the naive calculator.
func (s *story) checkEnd() error {
	clear(s.m.broken)
	there, late := arrivals()
	s.m.copies = append(s.m.copies, late[len(s.m.copies)-len(there):]...)
	last := s.runner(s.m, command{})
	if last.FirstMonth = october(); len(s.m.runs) > 0 {
		fixed := s.m.runs[0]
		last.FirstMonth = fixed.FirstMonth
		if fixed.Zone != last.Zone.String() || fixed.Currency != last.Currency.Code {
			s.other(last)
		}
		last.FirstMonth = fixed.FirstMonth
	}
	for _, what := range []string{"finish", "make nothing"} {
		runs, headers := len(s.m.runs), len(s.m.headers)
		if _, err := last.Seal(context.Background(), december()); err != nil {
			return fmt.Errorf("a last runner: %w", err)
		}
		if what == "make nothing" && (runs != len(s.m.runs) || headers != len(s.m.headers)) {
			return fmt.Errorf("sealing again without new events made %d runs and %d invoices", len(s.m.runs)-runs, len(s.m.headers)-headers)
		}
	}
	if err := s.checkRuns(last); err != nil {
		return err
	}
	alone := newMemory()
	alone.copies, alone.runs, alone.others = s.m.copies, s.m.runs, s.m.others
	one := s.runner(alone, command{})
	one.Zone, one.Currency, one.FirstMonth, one.BatchRows = last.Zone, last.Currency, last.FirstMonth, 0
	one.Periods = &aggregate.Deriver{Source: alone, Zone: last.Zone}
	if _, err := one.Seal(context.Background(), december()); err != nil {
		return fmt.Errorf("one runner: %w", err)
	}
	if err := s.m.differs(alone); err != nil {
		return err
	}
	want := oracle.Compute(s.m.copies, oracle.Settings{
		Zone: last.Zone, Currency: last.Currency, First: last.FirstMonth, Last: december(), Cutoffs: histories.Cutoffs(s.m.runs),
	})
	if diff := oracle.DiffSums(want.Lines, s.m.invoicedLines()); len(diff) > 0 {
		return errors.New(diff[0])
	}
	return nil
}

// checkRuns holds that the runs are such as one runner records: each month is sealed
// once and in order, what settles comes after its month, no cutoff goes back, and all
// are of the same settings and carried out.
func (s *story) checkRuns(last *invoicer.Invoicer) error {
	var sealed schemas.Month
	var before schemas.Run
	for i, run := range s.m.runs {
		next := sealed.Next()
		if i == 0 {
			next = run.FirstMonth
		}
		if run.Month != sealed && run.Month != next {
			return fmt.Errorf("run %d is of %s, after %s", run.Number, run.Month, sealed)
		}
		if run.Month == sealed && run.Cutoff.Equal(before.Cutoff) && !run.SettleAll {
			return fmt.Errorf("run %d settles nothing", run.Number)
		}
		for _, end := range before.Cutoff {
			if at := (schemas.Position{Topic: end.Topic, Partition: end.Partition, Offset: end.End - 1}); end.End > 0 && !run.Cutoff.Contains(at) {
				return fmt.Errorf("the cutoff of run %d is before that of run %d", run.Number, before.Number)
			}
		}
		if run.Zone != last.Zone.String() || run.Currency != last.Currency.Code || run.FirstMonth != last.FirstMonth {
			return fmt.Errorf("run %d is of %s, %s and %s", run.Number, run.Zone, run.Currency, run.FirstMonth)
		}
		seal, done := s.m.seals[run.Number]
		if !done || len(seal.Parked) > 0 || seal.Month != run.Month {
			return fmt.Errorf("run %d was carried out %t, parked %v", run.Number, done, seal.Parked)
		}
		sealed, before = run.Month, run
	}
	return nil
}

// differs says in what two memories differ of all that runs write.
func (m *memory) differs(want *memory) error {
	if got, want := m.dump(), want.dump(); got != want {
		return fmt.Errorf("invoiced is\n%sand one runner makes\n%s", got, want)
	}
	keys := func(m *memory) (all []string) {
		for _, run := range m.runs {
			m.written(run.Number, func(k tables.RowKey, _ string, _ func()) { all = append(all, fmt.Sprintf("%d %q", run.Number, k)) })
		}
		slices.Sort(all)
		return all
	}
	if got, want := keys(m), keys(want); !slices.Equal(got, want) {
		return fmt.Errorf("written is\n%s\nand one runner writes\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	for what, pair := range map[string][2]any{
		"snapshots": {m.snapshots, want.snapshots}, "item-minutes": {m.minutes, want.minutes}, "hashes": {m.hashes, want.hashes},
		"touched": {m.touched, want.touched}, "anomalies": {m.anomalies, want.anomalies}, "told": {m.surveys.told, want.surveys.told},
	} {
		if !reflect.DeepEqual(pair[0], pair[1]) {
			return fmt.Errorf("%s are\n%v\nand one runner makes\n%v", what, pair[0], pair[1])
		}
	}
	for number, seal := range want.seals {
		if got, want := m.seals[number].Totals, seal.Totals; fmt.Sprint(got) != fmt.Sprint(want) {
			return fmt.Errorf("the seal of run %d tells %v and that of one runner %v", number, got, want)
		}
	}
	return nil
}
