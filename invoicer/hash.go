package invoicer

import (
	"github.com/reckon-billing/reckon/schemas"
	"github.com/reckon-billing/reckon/schemas/tables"
)

// hash digests an invoice by the newest form: what is in it, and in what order,
// schemas/tables says.
func (w *writer) hash(h *schemas.Invoice, lines []schemas.Line) schemas.InvoiceHash {
	form := tables.NewestForm()
	return schemas.InvoiceHash{
		Month: h.Month, AccountID: h.AccountID, ResourceID: h.ResourceID, Code: h.Code, Run: h.Run,
		Form: form.Number, Hash: w.hasher.Invoice(form, h, lines),
	}
}
