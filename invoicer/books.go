package invoicer

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/reckon-billing/reckon/schemas"
)

// books are the runs and seals as they stand.
type books struct {
	// runs are by number ascending.
	runs  []schemas.Run
	seals map[int64]Seal
	// nextNumber is the one to try for the next run. Every run of a seal below it is
	// among runs.
	nextNumber int64
}

// open reads the books and compares the settings with what the first run fixed.
func (v *Invoicer) open(ctx context.Context) (*books, error) {
	next, runs, err := v.readRuns(ctx)
	if err != nil {
		return nil, err
	}
	seals, err := v.RunLog.Seals(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the seals: %w", err)
	}
	b := &books{runs: runs, seals: map[int64]Seal{}, nextNumber: next}
	for _, s := range seals {
		b.seals[s.Run] = s
	}
	return b, v.checkFixed(b)
}

// readRuns reads the next number and then the runs, in this order: a run that is
// recorded meanwhile has that number or a higher one, and whoever tries the number
// meets it.
func (v *Invoicer) readRuns(ctx context.Context) (int64, []schemas.Run, error) {
	next, err := v.RunLog.NextNumber(ctx)
	if err != nil {
		return 0, nil, fmt.Errorf("read the next run's number: %w", err)
	}
	runs, err := v.RunLog.Runs(ctx)
	if err != nil {
		return 0, nil, fmt.Errorf("read the runs: %w", err)
	}
	if len(runs) > 0 {
		next = max(next, runs[len(runs)-1].Number+1)
	}
	return next, runs, nil
}

// newest is the number of the newest run of a seal; 0 before the first.
func (b *books) newest() int64 {
	if len(b.runs) == 0 {
		return 0
	}
	return b.runs[len(b.runs)-1].Number
}

// before are the runs before the one of the number.
func (b *books) before(number int64) []schemas.Run {
	i, _ := slices.BinarySearchFunc(b.runs, number, func(r schemas.Run, n int64) int { return cmp.Compare(r.Number, n) })
	return b.runs[:i]
}

// derivation asks for what the run is to issue, of the accounts or, for nil, of all.
func (b *books) derivation(run schemas.Run, accounts []string) schemas.Derivation {
	earlier := b.before(run.Number)
	return schemas.Derivation{
		Run: run, Earlier: earlier, First: run.FirstMonth, Last: run.Month,
		New: LastMonth(earlier).Before(run.Month), Accounts: accounts, Except: b.parkedBefore(run.Number),
	}
}

// LastMonth is the newest month of any of the runs; zero of none.
func LastMonth(runs []schemas.Run) schemas.Month {
	var last schemas.Month
	for i := range runs {
		if last.Before(runs[i].Month) {
			last = runs[i].Month
		}
	}
	return last
}

// undone are the accounts that a run has still to do, in order: nil for all, where it has
// no seal. One that an earlier run has still to do is none of them: it waits, whatever
// somebody else has written of it meanwhile. It is false where there is nothing to do.
func (b *books) undone(run int64) (only []string, some bool) {
	seal, sealed := b.seals[run]
	if !sealed {
		return nil, true
	}
	waiting := map[string]bool{}
	for _, account := range b.parkedBefore(run) {
		waiting[account] = true
	}
	for _, p := range seal.Parked {
		if !waiting[p.AccountID] {
			only = append(only, p.AccountID)
		}
	}
	slices.Sort(only)
	return only, len(only) > 0
}

// parkedBefore are the accounts that an earlier run still has parked: their
// older months come first.
func (b *books) parkedBefore(run int64) []string {
	var out []string
	for _, p := range b.stillParked(run) {
		out = append(out, p.AccountID)
	}
	return out
}

func (b *books) stillParked(run int64) []Parked {
	var out []Parked
	for number, seal := range b.seals {
		if number < run {
			out = append(out, seal.Parked...)
		}
	}
	slices.SortFunc(out, func(x, y Parked) int { return strings.Compare(x.AccountID, y.AccountID) })
	return slices.CompactFunc(out, func(x, y Parked) bool { return x.AccountID == y.AccountID })
}
