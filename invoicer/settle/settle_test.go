package settle

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/reckon-billing/reckon/schemas"
)

func july() schemas.Month { return schemas.Month{Year: 2026, Month: time.July} }

// of is a line of July: of an item at a position, from a day on, of so many units at 10
// for as many minutes as told, numbered.
func of(day, position int, item string, minutes, quantity int64, number int) schemas.Line {
	amount := decimal.NewFromInt(10 * quantity)
	return schemas.Line{
		Number: number, Month: july(), PeriodStart: time.Date(2026, 7, day, 0, 0, 0, 0, time.UTC), Position: position, Minutes: minutes,
		Item: schemas.Item{Name: item, Per: schemas.PerUse, UnitPrice: decimal.NewFromInt(10)}, Quantity: decimal.NewFromInt(quantity),
		Amounts: schemas.Amounts{BeforeTax: amount, TotalAmount: amount},
	}
}

// by is the line with other amounts.
func by(l schemas.Line, amount int64) schemas.Line {
	l.Amounts = schemas.Amounts{BeforeTax: decimal.NewFromInt(amount), TotalAmount: decimal.NewFromInt(amount)}
	return l
}

// back is the line with its signs turned.
func back(l schemas.Line) schemas.Line {
	l.Quantity, l.Amounts = l.Quantity.Neg(), l.Neg()
	return l
}

// coupon is the line under a coupon.
func coupon(l schemas.Line) schemas.Line {
	l.CouponCode = "C"
	return l
}

func said(rows []schemas.Line) string {
	var out []string
	for i := range rows {
		r := &rows[i]
		out = append(out, strings.TrimSpace(fmt.Sprintf("%d.%d %s%s %dmin %s=%s", r.PeriodStart.Day(), r.Position, r.Item.Name, r.CouponCode, r.Minutes, r.Quantity, r.TotalAmount)))
	}
	return strings.Join(out, ", ")
}

// What was invoiced so far, what the events come to now, and the rows between them.
func TestALineIsTakenBackAndInvoicedAnew(t *testing.T) {
	const late = 60 // minutes; others have 100
	five, six := of(1, 0, "a", 100, 5, 1), of(1, 0, "a", 100, 6, 2)
	nothing := of(1, 0, "a", 100, 0, 1)
	for _, c := range []struct {
		name     string
		invoiced []schemas.Line
		now      []schemas.Line
		want     string
	}{
		{"what is right stays", []schemas.Line{five}, []schemas.Line{five}, ""},
		{"another quantity", []schemas.Line{five}, []schemas.Line{six}, "1.0 a 100min -5=-50, 1.0 a 100min 6=60"},
		{"as last invoiced", []schemas.Line{five, back(five), six}, []schemas.Line{of(1, 0, "a", 100, 7, 0)}, "1.0 a 100min -6=-60, 1.0 a 100min 7=70"},
		{"amounts alone", []schemas.Line{five}, []schemas.Line{by(five, 49)}, "1.0 a 100min -5=-50, 1.0 a 100min 5=49"},
		{"minutes alone", []schemas.Line{five}, []schemas.Line{of(1, 0, "a", late, 5, 0)}, "1.0 a 100min -5=-50, 1.0 a 60min 5=50"},
		{"a quantity that costs nothing", []schemas.Line{by(five, 0)}, []schemas.Line{by(six, 0)}, "1.0 a 100min -5=0, 1.0 a 100min 6=0"},
		{"gone: only what takes it back", []schemas.Line{five}, nil, "1.0 a 100min -5=-50"},
		{"gone for long", []schemas.Line{five, back(five)}, nil, ""},
		{"returned since, then here again: only the line", []schemas.Line{five, back(five)}, []schemas.Line{five}, "1.0 a 100min 5=50"},
		{"never invoiced: only the line", nil, []schemas.Line{five}, "1.0 a 100min 5=50"},
		{"of a quantity of 0, gone", []schemas.Line{nothing}, nil, "1.0 a 100min 0=0"},
		{"of a quantity of 0, gone for long", []schemas.Line{nothing, back(nothing)}, nil, ""},
		{"of a quantity of 0, again", []schemas.Line{nothing, back(nothing), nothing}, []schemas.Line{nothing}, ""},
		{"of a quantity of 0, never invoiced", nil, []schemas.Line{nothing}, "1.0 a 100min 0=0"},
		{"another coupon is another line", []schemas.Line{five}, []schemas.Line{coupon(five)}, "1.0 aC 100min 5=50, 1.0 a 100min -5=-50"},
		{
			"by period start, then present lines in item order, then gone ones",
			[]schemas.Line{of(1, 0, "x", 100, 1, 1), of(1, 1, "a", 100, 2, 2), of(1, 2, "b", 100, 3, 3), of(9, 0, "a", 100, 4, 1)},
			[]schemas.Line{of(1, 0, "b", 100, 5, 0), of(1, 1, "c", 100, 6, 0), of(5, 0, "a", 100, 7, 0)},
			"1.2 b 100min -3=-30, 1.0 b 100min 5=50, 1.1 c 100min 6=60, 1.0 x 100min -1=-10, 1.1 a 100min -2=-20, 5.0 a 100min 7=70, 9.0 a 100min -4=-40",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := Corrections(map[schemas.Month][]schemas.Line{july(): c.now}, c.invoiced)
			if said(got[july()]) != c.want {
				t.Errorf("got %s\nwant %s", said(got[july()]), c.want)
			}
			invoiced := append(slices.Clone(c.invoiced), got[july()]...)
			for i := range invoiced {
				invoiced[i].Number = max(1, invoiced[i].Number)
			}
			if again := Corrections(map[schemas.Month][]schemas.Line{july(): c.now}, invoiced); len(again) > 0 {
				t.Errorf("again it is corrected by %s", said(again[july()]))
			}
		})
	}
}

// Rows without a number are an older version's: each was a difference, with the
// quantity that the line had then.
func TestWhatAnOlderVersionInvoicedIsTakenBackInItsSum(t *testing.T) {
	plain, more := of(1, 0, "a", 100, 5, 0), by(of(1, 0, "a", 100, 6, 0), 10)
	gone := by(of(1, 1000, "a", 0, 0, 0), -50)
	returned := of(1, 0, "a", 100, 5, 0)
	for _, c := range []struct {
		name     string
		invoiced []schemas.Line
		now      []schemas.Line
		want     string
	}{
		{"one row is the line", []schemas.Line{plain}, []schemas.Line{of(1, 0, "a", 100, 7, 0)}, "1.0 a 100min -5=-50, 1.0 a 100min 7=70"},
		{"what is right stays", []schemas.Line{plain, more}, []schemas.Line{of(1, 0, "a", 100, 6, 0)}, ""},
		{"a line and a difference", []schemas.Line{plain, more}, []schemas.Line{of(1, 0, "a", 100, 7, 0)}, "1.0 a 100min -11=-60, 1.0 a 100min 7=70"},
		{"and gone", []schemas.Line{plain, more}, nil, "1.0 a 100min -11=-60"},
		{"gone then stays gone", []schemas.Line{plain, gone}, nil, ""},
		{"gone then, here again", []schemas.Line{plain, gone}, []schemas.Line{plain}, "1.0 a 100min -5=0, 1.0 a 100min 5=50"},
		{"gone, back, and another quantity", []schemas.Line{plain, gone, returned}, []schemas.Line{of(1, 0, "a", 100, 6, 0)}, "1.0 a 100min -10=-50, 1.0 a 100min 6=60"},
		{"only amounts were looked at", []schemas.Line{by(plain, 0)}, []schemas.Line{by(of(1, 0, "a", 100, 6, 0), 0)}, "1.0 a 100min -5=0, 1.0 a 100min 6=0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := Corrections(map[schemas.Month][]schemas.Line{july(): c.now}, c.invoiced)[july()]
			if said(got) != c.want {
				t.Fatalf("got %s\nwant %s", said(got), c.want)
			}
			if len(got) == 0 {
				return
			}
			s := &Standing{}
			for _, row := range c.invoiced {
				s.Take(&row)
			}
			for i, row := range got {
				row.Number = i + 1
				s.Take(&row)
			}
			var want schemas.Line
			for _, l := range c.now {
				want = l
			}
			if !s.Quantity.Equal(want.Quantity) || !s.Equal(want.Amounts) || !s.Exact || s.Minutes() != want.Minutes {
				t.Errorf("from then on it is %s for %s, must be %s for %s", s.TotalAmount, s.Quantity, want.TotalAmount, want.Quantity)
			}
		})
	}
}

// The rows that such a version made.
func TestOlderCorrectionsAreDifferences(t *testing.T) {
	for _, c := range []struct {
		name     string
		invoiced []schemas.Line
		now      []schemas.Line
		want     string
	}{
		{"another quantity", []schemas.Line{of(1, 0, "a", 100, 5, 0)}, []schemas.Line{of(1, 0, "a", 60, 7, 0)}, "1.0 a 60min 7=20"},
		{"a quantity that costs nothing", []schemas.Line{by(of(1, 0, "a", 100, 5, 0), 0)}, []schemas.Line{by(of(1, 0, "a", 100, 6, 0), 0)}, ""},
		{"never invoiced", nil, []schemas.Line{of(1, 0, "a", 100, 5, 0)}, "1.0 a 100min 5=50"},
		{"gone", []schemas.Line{of(1, 0, "a", 100, 5, 0), of(1, 1, "b", 100, 5, 0)}, []schemas.Line{of(1, 0, "b", 100, 6, 0)}, "1.0 b 100min 6=10, 1.1000 a 0min 0=-50"},
		{"gone for long", []schemas.Line{of(1, 0, "a", 100, 5, 0), by(of(1, 1000, "a", 0, 0, 0), -50)}, nil, ""},
	} {
		got := OlderCorrections(map[schemas.Month][]schemas.Line{july(): c.now}, c.invoiced)[july()]
		if said(got) != c.want {
			t.Errorf("%s: got %s\nwant %s", c.name, said(got), c.want)
		}
	}
}
