package invoicer

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/reckon-billing/reckon/schemas"
)

// wideAccounts derives as many resources of few accounts as there are of many.
type wideAccounts struct {
	manyResources
	// of is how many resources an account has.
	of int
	// asked are the accounts of each derivation.
	asked [][]string
	// breaks is told the resource and the derivation that it is of, and why it breaks.
	breaks func(resource, pass int) error
	// change changes what a resource comes to.
	change func(*schemas.Derived)
	// last is called with the last resource, before it is yielded.
	last func()
}

func (w *wideAccounts) Derive(ctx context.Context, plan schemas.Derivation, yield func(schemas.Derived) error) error {
	w.asked = append(w.asked, plan.Accounts)
	i := 0
	return w.manyResources.Derive(ctx, plan, func(d schemas.Derived) error {
		d.ResourceID, d.AccountID = "r"+d.AccountID, fmt.Sprintf("a%03d", i/w.of)
		for p := range d.Periods {
			d.Periods[p].AccountID, d.Periods[p].ResourceID = d.AccountID, d.ResourceID
		}
		d.Snapshot.AccountID, d.Snapshot.ResourceID = d.AccountID, d.ResourceID
		if w.change != nil {
			w.change(&d)
		}
		if w.breaks != nil {
			d.Err = w.breaks(i, len(w.asked))
		}
		if i++; i == w.n && w.last != nil {
			w.last()
		}
		if plan.Accounts != nil && !strings.Contains(strings.Join(plan.Accounts, ","), d.AccountID) {
			return nil
		}
		return yield(d)
	})
}

// counter is a shelf that keeps nothing but numbers.
type counter struct {
	shelf
	lines, periods, snapshots, headers, proofs, most int
	total                                            schemas.Amounts
	// tooEarly tells that a header came before the last line.
	linesInAll int
	tooEarly   bool
}

func (c *counter) Write(_ context.Context, b Batch) error {
	c.batches++
	c.lines, c.periods, c.snapshots = c.lines+len(b.Lines), c.periods+len(b.Periods), c.snapshots+len(b.Snapshots)
	c.headers, c.proofs = c.headers+len(b.Invoices), c.proofs+len(b.Hashes)+len(b.Minutes)
	c.tooEarly = c.tooEarly || len(b.Invoices) > 0 && c.lines < c.linesInAll
	for _, rows := range []int{len(b.Lines), len(b.Periods), len(b.Snapshots), len(b.Invoices), len(b.Hashes), len(b.Minutes)} {
		c.most = max(c.most, rows)
	}
	for i := range b.Invoices {
		c.total = c.total.Add(b.Invoices[i].Amounts)
	}
	return nil
}

// Invoiced are none of any resource.
func (c *counter) Invoiced(context.Context, int64, []string) (schemas.Cursor[schemas.Line], error) {
	return &lineSlice{}, nil
}

// seal carries the newest of so many runs out, all of one month.
func (c *counter) seal(periods Deriver, rows, runs int) (Seal, error) {
	month := schemas.Month{Year: 2026, Month: time.October}
	v := &Invoicer{
		RunLog: &c.shelf, Invoices: c, Late: allTouched{}, Periods: periods, Zone: time.UTC, BatchRows: rows,
		Now: func() time.Time { return month.End(time.UTC) },
	}
	b := &books{seals: map[int64]Seal{}}
	for number := range runs {
		b.runs = append(b.runs, schemas.Run{Number: int64(number) + 1, Month: month, FirstMonth: month})
	}
	return v.carryOut(context.Background(), b, b.runs[runs-1], nil)
}

// allTouched finds that late events touch all.
type allTouched struct{}

func (allTouched) MarkTouched(context.Context, schemas.Run, schemas.Cutoff, time.Time) (int64, error) {
	return 1, nil
}

// heap is how many bytes are in use.
func heap() int {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

// TestOneAccountOfVeryManyResourcesIsSealedInBoundedMemory (O5): what is held of it is
// no more than of many accounts, what is written together neither, and its headers
// still come last.
func TestOneAccountOfVeryManyResourcesIsSealedInBoundedMemory(t *testing.T) {
	const n = 6 * batchRows
	held := func(of int) int {
		var most int
		before := heap()
		w := &wideAccounts{manyResources: manyResources{n}, of: of}
		w.last = func() { most = max(most, heap()-before) }
		c := &counter{linesInAll: n}
		seal, err := c.seal(w, 0, 1)
		if err != nil || len(seal.Parked) > 0 || seal.Totals.Invoices != n || seal.Totals.Lines != n || !seal.Totals.Amounts.TotalAmount.Equal(c.total.TotalAmount) {
			t.Fatalf("%+v, %v", seal, err)
		}
		if c.lines != n || c.periods != n || c.snapshots != n || c.headers != n || c.proofs != 2*n {
			t.Errorf("written are %d lines, %d periods, %d snapshots, %d headers and %d proofs", c.lines, c.periods, c.snapshots, c.headers, c.proofs)
		}
		if c.tooEarly && of == n {
			t.Error("headers were written before all lines")
		}
		if c.most > 2*batchRows {
			t.Errorf("%d rows of a table were written together", c.most)
		}
		return most
	}
	many, one := held(10), held(n)
	if most := many + 64<<20; one > most {
		t.Errorf("of one account %d MiB are held, of many %d MiB", one>>20, many>>20)
	}
	t.Logf("of one account %d MiB are held, of many %d MiB", one>>20, many>>20)
}

// TestWhatWeighsMuchIsHeldInSmallNumbers (O5): adjustments that name a hundred late events
// each, periods of a hundred items that make no lines, snapshots of many levels; all of one
// account, and of many.
func TestWhatWeighsMuchIsHeldInSmallNumbers(t *testing.T) {
	for name, c := range map[string]struct {
		n, runs int
		fat     func(*schemas.Derived)
	}{
		"adjustments": {12_000, 2, func(d *schemas.Derived) {
			d.FullHistory = true
			d.Late = []schemas.LateMonth{{Month: d.Periods[0].Month, Count: schemas.LateNamed, First: make([]schemas.EventRef, schemas.LateNamed)}}
		}},
		"items": {20_000, 1, func(d *schemas.Derived) {
			p := &d.Periods[0]
			p.Mode, p.Items = schemas.Prepaid, slices.Repeat(p.Items, 100)
		}},
		"levels": {20_000, 1, func(d *schemas.Derived) { d.Snapshot.State = strings.Repeat("level", 3000) }},
	} {
		for _, of := range []int{10, c.n} {
			t.Run(fmt.Sprintf("%s, accounts of %d resources", name, of), func(t *testing.T) {
				before, most := heap(), 0
				w := &wideAccounts{manyResources: manyResources{c.n}, of: of, change: c.fat}
				w.last = func() { most = max(most, heap()-before) }
				got := &counter{}
				seal, err := got.seal(w, 0, c.runs)
				if err != nil || len(seal.Parked) > 0 || got.proofs < c.n || got.headers != int(seal.Totals.Invoices+seal.Totals.Adjustments) {
					t.Fatalf("%+v, %d headers, %d proofs, %v", seal, got.headers, got.proofs, err)
				}
				if most > 128<<20 {
					t.Errorf("%d MiB are held", most>>20)
				}
				t.Logf("%d MiB are held, %d batches", most>>20, got.batches)
			})
		}
	}
}

// TestParkingAnAccountLooksAtItsOwnRows (O9): however much there is of those before it.
func TestParkingAnAccountLooksAtItsOwnRows(t *testing.T) {
	looked := 0
	rows := withoutLast(append(make([]bool, 1000), true, true, true), func(last *bool) bool { looked++; return *last })
	if len(rows) != 1000 || looked != 4 {
		t.Errorf("%d rows are left, %d were looked at", len(rows), looked)
	}
}

// TestAWideAccountThatBreaksIsParkedWhole (O5): at its last resource, and none of its
// headers is written; the others' are, wide or not.
func TestAWideAccountThatBreaksIsParkedWhole(t *testing.T) {
	const rows, of = 10, 40
	for broken := range 3 {
		w := &wideAccounts{manyResources: manyResources{3 * of}, of: of}
		w.breaks = func(resource, _ int) error {
			if resource == (broken+1)*of-1 {
				return errors.New("it broke")
			}
			return nil
		}
		c := &counter{}
		seal, err := c.seal(w, rows, 1)
		if err != nil || len(seal.Parked) != 1 || seal.Parked[0].AccountID != fmt.Sprintf("a%03d", broken) {
			t.Fatalf("parked are %+v, %v", seal.Parked, err)
		}
		if c.headers != 2*of || c.proofs != 4*of || seal.Totals.Invoices != 2*of {
			t.Errorf("%d headers and %d proofs, %+v", c.headers, c.proofs, seal.Totals)
		}
	}
}

// TestAWideAccountIsDerivedTheSameTwice (O5): one that ended well and then breaks stops
// the run, since some of its headers may be written; nothing is sealed.
func TestAWideAccountIsDerivedTheSameTwice(t *testing.T) {
	const rows, of = 10, 40
	w := &wideAccounts{manyResources: manyResources{3 * of}, of: of}
	w.breaks = func(resource, pass int) error {
		if pass == 2 && resource == of {
			return errors.New("it broke")
		}
		return nil
	}
	c := &counter{}
	if _, err := c.seal(w, rows, 1); err == nil || !strings.Contains(err.Error(), `"a001"`) || c.sealed {
		t.Errorf("sealed %t, %v", c.sealed, err)
	}
	narrow := &wideAccounts{manyResources: manyResources{3 * of}, of: rows}
	if _, err := (&counter{}).seal(narrow, rows, 1); err != nil || len(narrow.asked) != 1 {
		t.Errorf("accounts of %d resources are derived %d times, %v", rows, len(narrow.asked), err)
	}
}
