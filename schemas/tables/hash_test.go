package tables

import (
	"slices"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/reckon-billing/reckon/schemas"
)

func sample() (schemas.Invoice, []schemas.Line) {
	start := time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)
	line := schemas.Line{
		InvoiceCode: "INV", AccountID: "a", ResourceID: "r", Month: schemas.Month{Year: 2026, Month: 10},
		PeriodStart: start, PeriodEnd: start.Add(time.Hour), Minutes: 60, Quantity: decimal.NewFromInt(2),
		Item: schemas.Item{Name: "cpu", UnitPrice: decimal.NewFromInt(100)}, Amounts: schemas.Amounts{TotalAmount: decimal.NewFromInt(7)},
	}
	second := line
	second.Position, second.Item.Name = 1, "ram"
	h := schemas.Invoice{
		Code: "INV", Kind: schemas.KindInvoice, AccountID: "a", ResourceID: "r", Month: line.Month, Run: 1, Lines: 2,
		Late: []schemas.EventRef{{Source: "s", ID: "1"}, {Source: "s", ID: "2"}},
	}
	return h, []schemas.Line{line, second}
}

func TestTheHashOfAnInvoiceIsOfWhatItSays(t *testing.T) {
	h, lines := sample()
	want := NewestForm().Hash(&h, lines)
	for _, c := range []struct {
		name   string
		change func(h *schemas.Invoice, lines []schemas.Line) []schemas.Line
		same   bool
	}{
		{"another order of the lines", func(_ *schemas.Invoice, l []schemas.Line) []schemas.Line { return []schemas.Line{l[1], l[0]} }, true},
		{"a number written with more zeros", func(_ *schemas.Invoice, l []schemas.Line) []schemas.Line {
			l[0].Quantity = decimal.RequireFromString("2.000000000")
			return l
		}, true},
		{"a time in another zone", func(_ *schemas.Invoice, l []schemas.Line) []schemas.Line {
			l[0].PeriodEnd = l[0].PeriodEnd.In(time.FixedZone("", 7*60*60))
			return l
		}, true},
		{"a lost line", func(_ *schemas.Invoice, l []schemas.Line) []schemas.Line { return l[:1] }, false},
		{"a doubled line", func(_ *schemas.Invoice, l []schemas.Line) []schemas.Line { return append(l, l[0]) }, false},
		{"the smallest amount more", func(_ *schemas.Invoice, l []schemas.Line) []schemas.Line {
			l[1].TotalAmount = decimal.RequireFromString("7.01")
			return l
		}, false},
		{"a letter that moved to the neighbouring column", func(h *schemas.Invoice, l []schemas.Line) []schemas.Line {
			h.AccountID, h.ResourceID = "ar", ""
			return l
		}, false},
		{"late events cut elsewhere", func(h *schemas.Invoice, l []schemas.Line) []schemas.Line {
			h.Late = []schemas.EventRef{{Source: "s", ID: `1""2`}}
			return l
		}, false},
		{"another run", func(h *schemas.Invoice, l []schemas.Line) []schemas.Line {
			h.Run = 2
			return l
		}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			h, lines := sample()
			lines = c.change(&h, slices.Clone(lines))
			if got := NewestForm().Hash(&h, lines); (got == want) != c.same {
				t.Errorf("the hash is the same: %t, want %t", got == want, c.same)
			}
		})
	}
}

func TestTheHashOfAMonthTellsItsInvoicesApart(t *testing.T) {
	seen := map[schemas.Digest]bool{}
	for _, invoices := range [][]string{nil, {""}, {"", ""}, {"A"}, {"A", "B"}, {"AB"}, {"B", "A"}} {
		m := NewMonthHash()
		for _, code := range invoices {
			m.Add(code, schemas.Digest{1})
		}
		if seen[m.Sum()] || m.Invoices != int64(len(invoices)) {
			t.Errorf("%q: %d invoices, hash %x", invoices, m.Invoices, m.Sum())
		}
		seen[m.Sum()] = true
	}
}

func BenchmarkHashInvoice(b *testing.B) {
	h, lines := sample()
	for b.Loop() {
		NewestForm().Hash(&h, lines)
	}
}
