package report

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/reckon-billing/reckon/schemas"
)

// header makes the header over lines, its amounts written by the test.
func header(t testing.TB, kind schemas.Kind, lines []schemas.Line, sums schemas.Amounts) schemas.Invoice {
	t.Helper()
	first, last := lines[0], lines[len(lines)-1]
	return schemas.Invoice{
		Code: first.InvoiceCode, Kind: kind, AccountID: first.AccountID, ResourceID: first.ResourceID, Month: first.Month, Run: 1,
		CreatedAt: at(t, "2026-10-31T18:00:00.999Z"), PeriodStart: first.PeriodStart, PeriodEnd: last.PeriodEnd,
		Lines: len(lines), Amounts: sums,
	}
}

func linesOf(rows []schemas.ReportRow) []schemas.Line {
	var lines []schemas.Line
	for i := range rows {
		lines = append(lines, rows[i].Line)
	}
	return lines
}

func TestAnInvoiceIsPrintedForAPerson(t *testing.T) {
	month := linesOf(october(t))

	discounted := linesOf(october(t))[:1]
	discounted[0].CouponCode = ""
	discounted[0].Item.DiscountPercent = dec("50")
	discounted[0].PeriodEnd = discounted[0].PeriodStart.Add(1_563 * 60e9)
	discounted[0].Minutes = 1_563
	// 2 × 10.00 × 1,563 / 43,200 × 50% = 0.3618…; 10% of it 0.0361…: 0.40 with 0.04 tax.
	discounted[0].Item.UnitPrice = dec("10")
	discounted[0].Amounts = amounts("0.36", "0.04", "0", "0.40")

	// Two servers of 165,000 ended after ten days, told after the seal: 341,000 and 34,100
	// are taken back, 2 × 165,000 × 10/30 = 110,000 and 11,000 are left.
	whole := linesOf(october(t))[0]
	whole.InvoiceCode, whole.CouponCode, whole.Number = "ADJ-2026-10-ZYXWVTSRQPNMKJHGFEDC", "", 1
	left := whole
	whole.Quantity, whole.Amounts = dec("-2"), amounts("-341000", "-34100", "0", "-375100")
	left.PeriodEnd, left.Minutes, left.Number = at(t, "2026-10-10T17:00:00Z"), 14_400, 2
	left.Amounts = amounts("110000", "11000", "0", "121000")
	credit := []schemas.Line{whole, left}
	adjustment := header(t, schemas.KindAdjustment, credit, amounts("-231000", "-23100", "0", "-254100"))
	adjustment.PeriodEnd = whole.PeriodEnd

	// As older versions invoiced it: the line as it is now, the difference of its amounts.
	left.Number, left.Amounts = 0, amounts("-231000", "-23100", "0", "-254100")
	older := header(t, schemas.KindAdjustment, []schemas.Line{left}, left.Amounts)
	older.LateEvents = 1
	older.Late = []schemas.EventRef{{Source: "shop", ID: "e-1", Type: schemas.ResourceDeleted, Time: at(t, "2026-10-10T17:00:00Z")}}

	adjustment.LateEvents = 7
	for _, id := range []string{"e-1", "e-2", "e-3", "e-4", "e-5", "e-6", "e-7"} {
		adjustment.Late = append(adjustment.Late, schemas.EventRef{Source: "shop", ID: id, Type: schemas.ResourceResized, Time: at(t, "2026-10-10T17:00:00Z")})
	}

	for _, c := range []struct {
		golden   string
		header   schemas.Invoice
		lines    []schemas.Line
		currency schemas.Currency
	}{
		{"month.invoice", header(t, schemas.KindInvoice, month, amounts("351000", "34100", "5000", "380100")), month, vnd()},
		{"discount.invoice", header(t, schemas.KindInvoice, discounted, amounts("0.36", "0.04", "0", "0.40")), discounted, usd()},
		{"credit.invoice", adjustment, credit, vnd()},
		{"older_credit.invoice", older, []schemas.Line{left}, vnd()},
	} {
		t.Run(c.golden, func(t *testing.T) {
			var b bytes.Buffer
			if err := Invoice(&b, c.header, c.lines, zone(t, "Asia/Ho_Chi_Minh"), c.currency); err != nil {
				t.Fatal(err)
			}
			checkGolden(t, c.golden, b.String())
		})
	}
}

func TestAnInvoiceIsNamedForWhatItIs(t *testing.T) {
	lines := linesOf(october(t))
	for _, c := range []struct {
		kind                 schemas.Kind
		total, title, status string
	}{
		{schemas.KindInvoice, "380100", "Invoice", "Unpaid"},
		{schemas.KindInvoice, "0", "Invoice", "Paid"},
		{schemas.KindAdjustment, "1", "Debit note", "Unpaid"},
		{schemas.KindAdjustment, "-1", "Credit note", "Paid"},
		{schemas.KindAdjustment, "0", "Debit note", "Paid"},
		{schemas.KindPaid, "380100", "Invoice", "Paid"},
	} {
		var b bytes.Buffer
		h := header(t, c.kind, lines, amounts(c.total, "0", "0", c.total))
		if err := Invoice(&b, h, lines, zone(t, "UTC"), vnd()); err != nil {
			t.Fatal(err)
		}
		if got := b.String(); !strings.HasPrefix(got, c.title+" INV-") || !strings.Contains(got, "  Status    "+c.status+"\n") {
			t.Errorf("%s of %s is not a %s, %s:\n%s", c.kind, c.total, c.title, c.status, got)
		}
	}
}

// An invoice of nothing is not made, but must not break who prints it.
func TestAnInvoiceWithoutLinesIsPrinted(t *testing.T) {
	h := header(t, schemas.KindInvoice, linesOf(october(t)), amounts("0", "0", "0", "0"))
	var b bytes.Buffer
	if err := Invoice(&b, h, nil, zone(t, "UTC"), vnd()); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(b.String(), "Resource  srv-1\n") {
		t.Errorf("printed:\n%s", b.String())
	}
}

func TestAnInvoiceThatCannotBeWrittenIsAnError(t *testing.T) {
	lines := linesOf(october(t))
	h := header(t, schemas.KindInvoice, lines, amounts("0", "0", "0", "0"))
	if err := Invoice(fullDisk{}, h, lines, zone(t, "UTC"), vnd()); !errors.Is(err, errFull) || !strings.Contains(err.Error(), h.Code) {
		t.Errorf("the error is %v", err)
	}
}
