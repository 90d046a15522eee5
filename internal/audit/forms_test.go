package audit

import (
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/reckon-billing/reckon/schemas"
	"github.com/reckon-billing/reckon/schemas/tables"
)

// twoForms are those of a later version, whose lines have one column more.
func twoForms() (forms tables.Forms, later uint8) {
	later = tables.NewestForm().Number + 1
	lines := tables.Lines()
	forms = tables.NewForms(tables.Invoices(), tables.Table[schemas.Line]{Name: lines.Name, Columns: func(l *schemas.Line, c tables.Columns) {
		lines.Columns(l, c)
		if c.From(later) {
			c.Text("remark", &l.ResourceName)
		}
	}})
	return forms, later
}

// A month that was sealed partly before and partly after the program learnt a column
// has hashes of two forms, and each invoice is held to its own.
func TestEveryInvoiceIsVerifiedByTheFormOfItsOwnHash(t *testing.T) {
	forms, later := twoForms()
	month, start := schemas.Month{Year: 2026, Month: time.October}, time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)
	sealed := func() *SealedResource {
		r := &SealedResource{AccountID: "a", ResourceID: "r"}
		for i, code := range []string{"older", "newer"} {
			h := schemas.Invoice{Code: code, Kind: schemas.KindInvoice, AccountID: "a", ResourceID: "r", Month: month, Run: 1, CreatedAt: start, Lines: 1}
			l := schemas.Line{InvoiceCode: code, AccountID: "a", ResourceID: "r", ResourceName: "web", Month: month, Run: 1, Minutes: 60}
			form, err := forms.Of(later - 1 + uint8(i))
			if err != nil {
				t.Fatal(err)
			}
			r.Headers, r.Lines = append(r.Headers, h), append(r.Lines, StoredLine{Line: l, MonthText: month.String()})
			r.Hashes = append(r.Hashes, schemas.InvoiceHash{
				Month: month, AccountID: "a", ResourceID: "r", Code: code, Run: 1, Form: form.Number, Hash: form.Hash(&h, []schemas.Line{l}),
			})
		}
		return r
	}
	intact := func(r *SealedResource) map[string]bool {
		p := &proof{forms: forms}
		all, err := p.storedInvoices(r)
		if err != nil {
			t.Fatal(err)
		}
		found := map[string]bool{}
		for _, s := range all {
			found[s.code] = s.intact()
		}
		return found
	}
	if got := intact(sealed()); !got["older"] || !got["newer"] {
		t.Fatalf("nothing changed, intact: %v", got)
	}
	for i, code := range []string{"older", "newer"} {
		r := sealed()
		r.Lines[i].TotalAmount = decimal.New(1, 0)
		if got := intact(r); got[code] || len(got) != 2 || !got["older"] && !got["newer"] {
			t.Errorf("one đồng more on the %s invoice, intact: %v", code, got)
		}
	}
	r := sealed()
	r.Hashes[0].Form, r.Hashes[1].Form = later, later-1
	if got := intact(r); got["older"] || got["newer"] {
		t.Errorf("each by the other's form, intact: %v", got)
	}
	r.Hashes[0].Form = later + 1
	if _, err := (&proof{forms: forms}).storedInvoices(r); err == nil {
		t.Error("a form that the program does not know is taken")
	}
}
