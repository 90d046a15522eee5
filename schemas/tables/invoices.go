package tables

import "github.com/reckon-billing/reckon/schemas"

// Lines are those of invoices.
func Lines() Table[schemas.Line] { return Table[schemas.Line]{"invoice_lines", line} }

func line(l *schemas.Line, c Columns) {
	c.Month("month", &l.Month)
	c.Text("account_id", &l.AccountID)
	c.Text("resource_id", &l.ResourceID)
	c.Instant("period_start", &l.PeriodStart)
	c.Place("position", &l.Position)
	c.Integer("run", &l.Run)
	c.Text("invoice_code", &l.InvoiceCode)
	c.Text("item", &l.Item.Name)
	c.Text("coupon_code", &l.CouponCode)
	c.Instant("period_end", &l.PeriodEnd)
	c.Text("resource_name", &l.ResourceName)
	c.Word("product", &l.Product)
	c.Word("service", &l.Service)
	c.Word("unit", &l.Item.Unit)
	c.Quantity("unit_price", &l.Item.UnitPrice)
	c.Quantity("item_quantity", &l.Item.Quantity)
	c.Word("meter", (*string)(&l.Item.Meter))
	c.Word("per", (*string)(&l.Item.Per))
	c.Percent("discount_percent", &l.Item.DiscountPercent)
	c.Percent("tax_percent", &l.Item.TaxPercent)
	c.Quantity("free_quantity", &l.Item.FreeQuantity)
	c.Integer("minutes", &l.Minutes)
	c.Quantity("quantity", &l.Quantity)
	amounts(&l.Amounts, c)
	if c.From(numberedFrom) {
		c.Place("line_number", &l.Number)
	}
}

// Invoices are the headers.
func Invoices() Table[schemas.Invoice] { return Table[schemas.Invoice]{"invoices", invoice} }

func invoice(h *schemas.Invoice, c Columns) {
	c.Month("month", &h.Month)
	c.Text("account_id", &h.AccountID)
	c.Text("resource_id", &h.ResourceID)
	c.Text("code", &h.Code)
	c.Word("kind", (*string)(&h.Kind))
	c.Integer("run", &h.Run)
	c.Instant("created_at", &h.CreatedAt)
	c.Instant("period_start", &h.PeriodStart)
	c.Instant("period_end", &h.PeriodEnd)
	c.Count("lines", &h.Lines)
	amounts(&h.Amounts, c)
	c.Integer("late_events", &h.LateEvents)
	c.Events(&h.Late, lateEvent)
}

func amounts(a *schemas.Amounts, c Columns) {
	c.Money("before_tax", &a.BeforeTax)
	c.Money("tax_amount", &a.TaxAmount)
	c.Money("coupon_value", &a.CouponValue)
	c.Money("total_amount", &a.TotalAmount)
}

func lateEvent(e *schemas.EventRef, c Columns) {
	c.Text("late_sources", &e.Source)
	c.Text("late_ids", &e.ID)
	c.Text("late_types", (*string)(&e.Type))
	c.Instant("late_times", &e.Time)
	c.Text("late_topics", &e.Position.Topic)
	c.Small("late_partitions", &e.Position.Partition)
	c.Integer("late_offsets", &e.Position.Offset)
	if c.From(2) {
		c.Small("late_logs", &e.Position.Log)
	}
}

// ReportRows are the lines of invoices that exist, with what the header knows.
func ReportRows() Table[schemas.ReportRow] {
	return Table[schemas.ReportRow]{"invoice_rows", reportRow}
}

func reportRow(r *schemas.ReportRow, c Columns) {
	line(&r.Line, c)
	c.Word("kind", (*string)(&r.Kind))
	c.Instant("created_at", &r.CreatedAt)
	c.Text("status", &r.Status)
}

// InvoiceHashes are the digests of invoices.
func InvoiceHashes() Table[schemas.InvoiceHash] {
	return Table[schemas.InvoiceHash]{"invoice_hashes", invoiceHash}
}

func invoiceHash(h *schemas.InvoiceHash, c Columns) {
	c.Month("month", &h.Month)
	c.Text("account_id", &h.AccountID)
	c.Text("resource_id", &h.ResourceID)
	c.Text("code", &h.Code)
	c.Integer("run", &h.Run)
	c.Byte("form", &h.Form)
	c.Digest("hash", &h.Hash)
}

// ItemMinutes are the item-minutes of resources.
func ItemMinutes() Table[schemas.ResourceMinutes] {
	return Table[schemas.ResourceMinutes]{"item_minutes", itemMinutes}
}

func itemMinutes(m *schemas.ResourceMinutes, c Columns) {
	c.Month("month", &m.Month)
	c.Text("account_id", &m.AccountID)
	c.Text("resource_id", &m.ResourceID)
	c.Integer("run", &m.Run)
	c.Integer("lived", &m.Lived)
	c.Integer("on_lines", &m.OnLines)
	c.Integer("excluded", &m.Excluded)
}
