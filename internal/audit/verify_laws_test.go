package audit

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/reckon-billing/reckon/aggregate"
	"github.com/reckon-billing/reckon/internal/oracle/histories"
	"github.com/reckon-billing/reckon/invoicer"
	"github.com/reckon-billing/reckon/schemas"
	"github.com/reckon-billing/reckon/schemas/tables"
)

// Whatever the history, the seals and the lateness, each run's invoices can be
// made again to the byte from the events before its cutoff and from what was
// invoiced before: so verify can name a changed column.
func TestWhatARunIssuedCanBeMadeAgain(t *testing.T) {
	z := zone(t, "Asia/Ho_Chi_Minh")
	rapid.Check(t, func(t *rapid.T) {
		all, first := histories.Drawn(t, z)
		m := newMemory()
		month := first
		for len(all) > 0 {
			n := rapid.IntRange(1, len(all)).Draw(t, "stored before the seal")
			m.copies, all = append(m.copies, all[:n]...), all[n:]
			if _, err := sealer(m, z, first).Seal(context.Background(), month); err != nil {
				t.Fatal(err)
			}
			if rapid.Bool().Draw(t, "next month") && month.Compare(first) < 4 {
				month = month.Next()
			}
		}
		again := 0
		var sealed schemas.Month
		for i, run := range m.runs {
			plan := schemas.Derivation{
				Run: run, Earlier: m.runs[:i], First: run.FirstMonth, Last: run.Month, New: sealed.Before(run.Month), FullHistory: true,
			}
			err := (&aggregate.Deriver{Source: m, Zone: z}).Derive(context.Background(), plan, func(d schemas.Derived) error {
				n, err := m.compareReissued(plan, d)
				again += n
				return err
			})
			if err != nil {
				t.Fatalf("run %d: %v", run.Number, err)
			}
			if sealed.Before(run.Month) {
				sealed = run.Month
			}
		}
		if again != len(m.headers) {
			t.Fatalf("%d invoices were made again, of %d", again, len(m.headers))
		}
	})
}

// Whatever the history, the seals and the lateness: a preview shows what the seal
// then issues, adjustments too, and leaves everything as it was.
func TestAPreviewShowsWhatTheSealThenIssues(t *testing.T) {
	z := zone(t, "Asia/Ho_Chi_Minh")
	rapid.Check(t, func(t *rapid.T) {
		all, first := histories.Drawn(t, z)
		m := newMemory()
		month := first
		for len(all) > 0 {
			n := rapid.IntRange(1, len(all)).Draw(t, "stored before the seal")
			m.copies, all = append(m.copies, all[:n]...), all[n:]
			shown := newMemory()
			v := sealer(m, z, first)
			m.fail = func(what string) error { return fmt.Errorf("a preview writes a %s", what) }
			err := v.Preview(context.Background(), month, func(h schemas.Invoice, lines []schemas.Line) error {
				shown.headers[h.Code], shown.lines[h.Code] = h, lines
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			m.fail = nil
			for code := range m.headers {
				if _, again := shown.headers[code]; again {
					t.Fatalf("the preview of %s shows %s, which was issued before", month, code)
				}
			}
			maps.Copy(shown.headers, m.headers)
			maps.Copy(shown.lines, m.lines)
			if _, err := v.Seal(context.Background(), month); err != nil {
				t.Fatal(err)
			}
			if want, got := m.dump(), shown.dump(); want != got {
				t.Fatalf("of %s the preview showed\n%s\nbut the seal made of it\n%s", month, got, want)
			}
			if rapid.Bool().Draw(t, "next month") && month.Compare(first) < 4 {
				month = month.Next()
			}
		}
	})
}

// compareReissued makes what a run issued for a resource again and compares.
func (m *memory) compareReissued(plan schemas.Derivation, d schemas.Derived) (int, error) {
	if d.Err != nil || d.ResourceID == "" {
		return 0, d.Err
	}
	issued, err := invoicer.Reissue(plan, vnd, d, m.invoicedBefore(d, plan.Run.Number), true)
	if err != nil {
		return 0, err
	}
	for i := range issued {
		h := m.headers[issued[i].Code]
		if tables.NewestForm().Hash(&h, m.lines[h.Code]) != tables.NewestForm().Hash(&issued[i].Invoice, issued[i].Rows) {
			return 0, fmt.Errorf("issued %+v\n%+v\nmade again %+v\n%+v", h, m.lines[h.Code], issued[i].Invoice, issued[i].Rows)
		}
	}
	return len(issued), nil
}

// invoicedBefore are the lines that earlier runs invoiced for a resource, by run.
func (m *memory) invoicedBefore(d schemas.Derived, run int64) []schemas.Line {
	var earlier []schemas.Invoice
	for _, h := range m.headers {
		if h.Run < run && h.AccountID == d.AccountID && h.ResourceID == d.ResourceID {
			earlier = append(earlier, h)
		}
	}
	slices.SortFunc(earlier, func(a, b schemas.Invoice) int { return cmp.Compare(a.Run, b.Run) })
	var out []schemas.Line
	for _, h := range earlier {
		out = append(out, m.lines[h.Code]...)
	}
	return out
}
