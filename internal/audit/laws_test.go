package audit

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/reckon-billing/reckon/aggregate"
	"github.com/reckon-billing/reckon/internal/oracle"
	"github.com/reckon-billing/reckon/internal/oracle/histories"
	"github.com/reckon-billing/reckon/invoicer"
	"github.com/reckon-billing/reckon/schemas"
)

var vnd = schemas.Currency{Code: "VND"} //nolint:gochecknoglobals // a constant of a type that has none

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

// sealer is an invoicer over the memory, as replay would have it.
func sealer(m *memory, z *time.Location, first schemas.Month) *invoicer.Invoicer {
	return &invoicer.Invoicer{
		Log: m, RunLog: m, Late: m, Invoices: m, Currency: vnd, Zone: z, FirstMonth: first, Replay: true,
		Periods: &aggregate.Deriver{Source: m, Zone: z},
		Now:     func() time.Time { return time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC) },
	}
}

func (m *memory) invoicedLines() []schemas.Line {
	var out []schemas.Line
	for code := range m.headers {
		out = append(out, m.lines[code]...)
	}
	return out
}

// documents is everything that was issued, in the order issued.
func (m *memory) documents() []oracle.Document {
	all := slices.SortedFunc(maps.Values(m.headers), func(a, b schemas.Invoice) int {
		return cmp.Or(
			cmp.Compare(a.Run, b.Run), strings.Compare(string(a.Kind), string(b.Kind)), a.Month.Compare(b.Month),
			strings.Compare(a.AccountID, b.AccountID), strings.Compare(a.ResourceID, b.ResourceID), a.PeriodStart.Compare(b.PeriodStart),
		)
	})
	var out []oracle.Document
	for i := range all {
		h := &all[i]
		rows := slices.SortedFunc(slices.Values(m.lines[h.Code]), func(a, b schemas.Line) int { return cmp.Compare(a.Number, b.Number) })
		out = append(out, oracle.Document{Code: h.Code, Kind: h.Kind, Run: h.Run, Rows: rows})
	}
	return out
}

// sealsSoFar are the runs, as the naive calculator has them.
func (m *memory) sealsSoFar() []oracle.Seal {
	var out []oracle.Seal
	for _, r := range m.runs {
		out = append(out, oracle.Seal{Number: r.Number, Month: r.Month, Cutoff: r.Cutoff})
	}
	return out
}

// L4, A10, A12, D3: whatever the order of arrival, the copies and the seals in
// between, all invoices of a line sum to what the events before the last cutoff
// price to, as the naive calculator has it, quantities too; every row is the formula;
// every document is row by row the one that the naive calculator makes; and sealing
// again makes nothing.
func TestInvoicesSumToWhatTheEventsPriceTo(t *testing.T) {
	zones := []*time.Location{zone(t, "Asia/Ho_Chi_Minh"), zone(t, "America/New_York"), time.UTC}
	rapid.Check(t, func(t *rapid.T) {
		z := rapid.SampledFrom(zones).Draw(t, "zone")
		all, first := histories.Drawn(t, z)
		m := newMemory()
		month, sealed := first, first.Prev()
		for len(all) > 0 {
			n := rapid.IntRange(0, len(all)).Draw(t, "stored before the seal")
			m.copies, all = append(m.copies, all[:n]...), all[n:]
			if _, err := sealer(m, z, first).Seal(context.Background(), month); err != nil {
				t.Fatalf("seal %s: %v", month, err)
			}
			if sealed.Before(month) {
				sealed = month
			}
			if n == 0 || len(all) > 0 && rapid.Bool().Draw(t, "next month") {
				month = month.Next()
			}
			checkSums(t, m, z, first, sealed)
			if sealed.Compare(first) > 30 {
				break
			}
		}
		checkAgain(t, m, z, first, sealed)
	})
}

func checkSums(t *rapid.T, m *memory, z *time.Location, first, last schemas.Month) {
	want := oracle.Compute(m.copies, oracle.Settings{Zone: z, Currency: vnd, First: first, Last: last, Cutoffs: histories.Cutoffs(m.runs)})
	if diff := oracle.DiffSums(want.Lines, m.invoicedLines()); len(diff) > 0 {
		t.Fatalf("after the seal of %s: %s", last, diff[0])
	}
	if diff := oracle.DiffPrices(m.invoicedLines(), vnd); len(diff) > 0 {
		t.Fatalf("after the seal of %s: %s", last, diff[0])
	}
	documents := oracle.Documents(m.copies, oracle.Settings{Zone: z, Currency: vnd, First: first}, m.sealsSoFar())
	if diff := oracle.DiffDocuments(documents, m.documents()); len(diff) > 0 {
		t.Fatalf("after the seal of %s: %s", last, diff[0])
	}
	for code, h := range m.headers {
		if h.Kind == schemas.KindAdjustment && (h.LateEvents == 0 || len(h.Late) == 0) {
			t.Fatalf("adjustment %s of %s names no late event", code, h.Month)
		}
	}
}

func checkAgain(t *rapid.T, m *memory, z *time.Location, first, last schemas.Month) {
	runs, headers := len(m.runs), len(m.headers)
	if _, err := sealer(m, z, first).Seal(context.Background(), last); err != nil {
		t.Fatal(err)
	}
	if len(m.runs) != runs || len(m.headers) != headers {
		t.Fatalf("sealing again without new events made %d runs and %d invoices", len(m.runs)-runs, len(m.headers)-headers)
	}
	if _, err := sealer(m, z, first).SettleAll(context.Background()); err != nil {
		t.Fatal(err)
	}
	if len(m.runs) != runs+1 || len(m.headers) != headers {
		t.Fatalf("settling all without new events made %d runs and %d invoices", len(m.runs)-runs, len(m.headers)-headers)
	}
}

// L1, L2, L3, C2, D2: a year sealed month by month from snapshots gives the same lines as
// the year derived at once from all events.
func TestMonthsFromSnapshotsEqualTheFullHistory(t *testing.T) {
	z := zone(t, "Asia/Ho_Chi_Minh")
	rapid.Check(t, func(t *rapid.T) {
		m := newMemory()
		var first schemas.Month
		m.copies, first = histories.Drawn(t, z)
		last := first
		for range 3 {
			last = last.Next()
		}
		if _, err := sealer(m, z, first).Seal(context.Background(), last); err != nil {
			t.Fatal(err)
		}
		want := oracle.Compute(m.copies, oracle.Settings{Zone: z, Currency: vnd, First: first, Last: last})
		if diff := oracle.Diff(want.Lines, m.invoicedLines()); len(diff) > 0 {
			t.Fatalf("%d differences, first: %s", len(diff), diff[0])
		}
	})
}

// The anomalies of the full set are those that the naive calculator lists.
func TestAnomaliesAreThoseOfTheFullSet(t *testing.T) {
	z := zone(t, "Asia/Ho_Chi_Minh")
	rapid.Check(t, func(t *rapid.T) {
		m := newMemory()
		var first schemas.Month
		m.copies, first = histories.Drawn(t, z)
		ends, _ := m.Ends(context.Background())
		var got []string
		plan := schemas.Derivation{Run: schemas.Run{Number: 1, Cutoff: schemas.NewCutoff(ends)}, Anomalies: func(a schemas.Anomaly) error {
			got = append(got, sayAnomaly(a))
			return nil
		}}
		if err := (&aggregate.Deriver{Source: m, Zone: z}).Survey(context.Background(), plan, func(d schemas.Derived) error { return d.Err }); err != nil {
			t.Fatal(err)
		}
		var want []string
		for _, a := range oracle.Compute(m.copies, oracle.Settings{Zone: z, Currency: vnd, First: first, Last: first}).Anomalies {
			want = append(want, sayAnomaly(a))
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Fatalf("anomalies\n got %q\nwant %q", got, want)
		}
	})
}

func sayAnomaly(a schemas.Anomaly) string {
	return fmt.Sprintf("%s/%s %s %s/%s at %s %s=%s", a.AccountID, a.ResourceID, a.Reason, a.Event.Source, a.Event.ID,
		a.Event.Time.Format(time.RFC3339Nano), a.Item, a.Value)
}

// dump is everything that was issued, in order.
func (m *memory) dump() string {
	var b strings.Builder
	for _, code := range slices.Sorted(maps.Keys(m.headers)) {
		fmt.Fprintf(&b, "%+v\n", m.headers[code])
		lines := slices.Clone(m.lines[code])
		slices.SortFunc(lines, func(x, y schemas.Line) int {
			return cmp.Compare(x.Number, y.Number)
		})
		for _, l := range lines {
			fmt.Fprintf(&b, "  %+v\n", l)
		}
	}
	return b.String()
}

// F1, F2, H6: a run that breaks off at any write and is carried out again gives
// the same invoices as one that does not.
func TestASealThatBreaksOffAnywhereEndsTheSame(t *testing.T) {
	z := zone(t, "Asia/Ho_Chi_Minh")
	broke := errors.New("broke off")
	rapid.Check(t, func(t *rapid.T) {
		copies, first := histories.Drawn(t, z)
		cut := rapid.IntRange(0, len(copies)).Draw(t, "late from")
		seal := func(m *memory) {
			for _, n := range []int{cut, len(copies)} {
				m.copies = copies[:n]
				for {
					_, err := sealer(m, z, first).Seal(context.Background(), first.Next())
					if err == nil {
						break
					}
					if !errors.Is(err, broke) {
						t.Fatal(err)
					}
				}
			}
		}
		calm, shaken := newMemory(), newMemory()
		seal(calm)
		writes := 0
		shaken.fail = func(string) error {
			writes++
			if writes%rapid.IntRange(2, 9).Draw(t, "write that breaks") == 0 {
				return broke
			}
			return nil
		}
		seal(shaken)
		if want, got := calm.dump(), shaken.dump(); want != got {
			t.Fatalf("got\n%s\nmust be\n%s", got, want)
		}
	})
}

// A run has the number that it gets: with runs of other kinds between them, seals
// issue the same lines and amounts. Codes of adjustments name their run, so they differ.
func TestGapsInTheNumbersOfSealsChangeNothing(t *testing.T) {
	z := zone(t, "Asia/Ho_Chi_Minh")
	rapid.Check(t, func(t *rapid.T) {
		copies, first := histories.Drawn(t, z)
		cut := rapid.IntRange(0, len(copies)).Draw(t, "late from")
		seal := func(m *memory) {
			for _, n := range []int{cut, len(copies)} {
				m.copies = copies[:n]
				if _, err := sealer(m, z, first).Seal(context.Background(), first.Next()); err != nil {
					t.Fatal(err)
				}
			}
		}
		dense, gaps := newMemory(), newMemory()
		seal(dense)
		gaps.taken = func() bool { return rapid.Bool().Draw(t, "another comes first") }
		seal(gaps)
		if want, got := dense.dumpWithoutNumbers(), gaps.dumpWithoutNumbers(); want != got {
			t.Fatalf("with the numbers of %v got\n%s\nmust be\n%s", gaps.others, got, want)
		}
		for number := range gaps.seals {
			if gaps.others[number] {
				t.Fatalf("run %d of another kind is sealed", number)
			}
		}
	})
}

// dumpWithoutNumbers is dump with the place of each run for its number.
func (m *memory) dumpWithoutNumbers() string {
	plain := newMemory()
	for code, h := range m.headers {
		h.Run = int64(slices.IndexFunc(m.runs, func(r schemas.Run) bool { return r.Number == h.Run }))
		if h.Kind == schemas.KindAdjustment {
			h.Code = fmt.Sprintf("adjustment %d of %s/%s in %s", h.Run, h.AccountID, h.ResourceID, h.Month)
		}
		plain.headers[h.Code] = h
		for _, l := range m.lines[code] {
			l.InvoiceCode, l.Run = h.Code, h.Run
			plain.lines[h.Code] = append(plain.lines[h.Code], l)
		}
	}
	return plain.dump()
}
