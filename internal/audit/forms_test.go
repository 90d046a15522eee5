package audit

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/reckon-billing/reckon/schemas"
	"github.com/reckon-billing/reckon/schemas/tables"
)

// laterForms are those of a later version, whose lines have one column more.
func laterForms() tables.Forms {
	later, lines := tables.NewestForm().Number+1, tables.Lines()
	return tables.NewForms(tables.Invoices(), tables.Table[schemas.Line]{Name: lines.Name, Columns: func(l *schemas.Line, c tables.Columns) {
		lines.Columns(l, c)
		if c.From(later) {
			c.Text("remark", &l.ResourceName)
		}
	}})
}

// A month that was sealed by versions of the program that knew more and more columns
// has hashes of several forms, and each invoice is held to its own.
func TestEveryInvoiceIsVerifiedByTheFormOfItsOwnHash(t *testing.T) {
	forms := laterForms()
	var codes []string
	for i := range forms {
		codes = append(codes, fmt.Sprintf("of form %d", i+1))
	}
	month, start := schemas.Month{Year: 2026, Month: time.October}, time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)
	sealed := func() *SealedResource {
		r := &SealedResource{AccountID: "a", ResourceID: "r"}
		for i, code := range codes {
			h := schemas.Invoice{Code: code, Kind: schemas.KindInvoice, AccountID: "a", ResourceID: "r", Month: month, Run: 1, CreatedAt: start, Lines: 1}
			l := schemas.Line{InvoiceCode: code, AccountID: "a", ResourceID: "r", ResourceName: "web", Month: month, Run: 1, Minutes: 60}
			form, err := forms.Of(uint8(i + 1))
			if err != nil {
				t.Fatal(err)
			}
			if form.Numbered() {
				l.Number = 1
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
	only := func(what string, got map[string]bool, broken ...string) {
		t.Helper()
		for _, code := range codes {
			if got[code] == slices.Contains(broken, code) {
				t.Errorf("%s: intact are %v, want all but %q", what, got, broken)
			}
		}
	}
	only("nothing changed", intact(sealed()))
	for i, code := range codes {
		r := sealed()
		r.Lines[i].TotalAmount = decimal.New(1, 0)
		only("one đồng more", intact(r), code)
		r = sealed()
		r.Lines[i].Number += 7
		only("another number", intact(r), code)
	}
	r := sealed()
	for i := range r.Hashes {
		r.Hashes[i].Form = forms[(i+1)%len(forms)].Number
	}
	only("each by another's form", intact(r), codes...)
	r.Hashes[0].Form = tables.NewestForm().Number + 2
	if _, err := (&proof{forms: forms}).storedInvoices(r); err == nil {
		t.Error("a form that the program does not know is taken")
	}
}
