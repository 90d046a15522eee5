package invoicer

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/reckon-billing/reckon/schemas"
)

// Column is one stored column of a header or a line, its value in canonical
// text: numbers without trailing zeros, times in Unix milliseconds.
type Column struct{ Name, Text string }

// HashInvoice is the SHA-256 of an invoice: its header, then its lines in order
// (period start, position, item, coupon), of each every stored column as
// HeaderColumns and LineColumns list them. Before each text stands its length,
// and before the lines their number, so that no two invoices look alike.
func HashInvoice(h *schemas.Invoice, lines []schemas.Line) schemas.Digest {
	var d digest
	return d.invoice(h, lines)
}

// invoice is HashInvoice; the digest may be used again.
func (d *digest) invoice(h *schemas.Invoice, lines []schemas.Line) schemas.Digest {
	d.buffer = d.buffer[:0]
	headerColumns(h, d)
	d.integer("lines", int64(len(lines)))
	d.order = lineOrder(d.order[:0], lines)
	for _, i := range d.order {
		lineColumns(h.Run, &lines[i], d)
	}
	return sha256.Sum256(d.buffer)
}

// HeaderColumns are the columns of a stored header, by their names in the store.
func HeaderColumns(h *schemas.Invoice) []Column {
	var l listing
	headerColumns(h, &l)
	return l
}

// LineColumns are the columns of a stored line of a run.
func LineColumns(run int64, line *schemas.Line) []Column {
	var l listing
	lineColumns(run, line, &l)
	return l
}

// CompareLines orders the lines of one invoice.
func CompareLines(a, b *schemas.Line) int {
	return cmp.Or(a.PeriodStart.Compare(b.PeriodStart), cmp.Compare(a.Position, b.Position),
		strings.Compare(a.Item.Name, b.Item.Name), strings.Compare(a.CouponCode, b.CouponCode))
}

// lineOrder appends the places of the lines in their order, which most have.
func lineOrder(order []int, lines []schemas.Line) []int {
	isSorted := true
	for i := range lines {
		order = append(order, i)
		isSorted = isSorted && (i == 0 || CompareLines(&lines[i-1], &lines[i]) <= 0)
	}
	if !isSorted {
		slices.SortStableFunc(order, func(i, j int) int { return CompareLines(&lines[i], &lines[j]) })
	}
	return order
}

// MonthHash gathers what one run issued for one month: code and hash of each
// invoice, in ascending order of the codes.
type MonthHash struct {
	Invoices int64
	hash     hash.Hash
	text     digest
}

// NewMonthHash is that of no invoice.
func NewMonthHash() *MonthHash { return &MonthHash{hash: sha256.New()} }

// Add adds an invoice.
func (m *MonthHash) Add(code string, h schemas.Digest) {
	m.Invoices++
	m.text.buffer = m.text.buffer[:0]
	m.text.text("", code)
	m.hash.Write(append(m.text.buffer, h[:]...))
}

// Sum is the hash of all that was added.
func (m *MonthHash) Sum() schemas.Digest { return schemas.Digest(m.hash.Sum(nil)) }

// columnSink takes columns in order.
type columnSink interface {
	text(name, value string)
	integer(name string, n int64)
	exact(name string, d decimal.Decimal)
	month(name string, m schemas.Month)
}

// digest writes the texts one after the other, each with its length before it.
// Its memory is used again by the next invoice.
type digest struct {
	buffer    []byte
	order     []int
	lastMonth schemas.Month
	monthText string
}

func (d *digest) text(_, value string) {
	d.buffer = binary.BigEndian.AppendUint64(d.buffer, uint64(len(value)))
	d.buffer = append(d.buffer, value...)
}

func (d *digest) integer(_ string, n int64) {
	at := len(d.buffer)
	d.buffer = strconv.AppendInt(append(d.buffer, make([]byte, 8)...), n, 10)
	binary.BigEndian.PutUint64(d.buffer[at:], uint64(len(d.buffer)-at-8)) //nolint:gosec // never negative
}

// exact writes what [schemas.FormatDecimal] does; most numbers are short and whole.
func (d *digest) exact(name string, v decimal.Decimal) {
	switch {
	case v.IsZero():
		d.text(name, "0")
	case v.Exponent() == 0 && v.NumDigits() <= 18:
		d.integer(name, v.CoefficientInt64())
	default:
		d.text(name, schemas.FormatDecimal(v))
	}
}

func (d *digest) month(name string, m schemas.Month) {
	if m != d.lastMonth || d.monthText == "" {
		d.lastMonth, d.monthText = m, m.String()
	}
	d.text(name, d.monthText)
}

type listing []Column

func (l *listing) text(name, value string)              { *l = append(*l, Column{name, value}) }
func (l *listing) integer(name string, n int64)         { l.text(name, strconv.FormatInt(n, 10)) }
func (l *listing) exact(name string, v decimal.Decimal) { l.text(name, schemas.FormatDecimal(v)) }
func (l *listing) month(name string, m schemas.Month)   { l.text(name, m.String()) }

func instant(to columnSink, name string, t time.Time) { to.integer(name, t.UnixMilli()) }

func amountColumns(a *schemas.Amounts, to columnSink) {
	to.exact("before_tax", a.BeforeTax)
	to.exact("tax_amount", a.TaxAmount)
	to.exact("coupon_value", a.CouponValue)
	to.exact("total_amount", a.TotalAmount)
}

func headerColumns(h *schemas.Invoice, to columnSink) {
	to.month("month", h.Month)
	to.text("account_id", h.AccountID)
	to.text("resource_id", h.ResourceID)
	to.text("code", h.Code)
	to.text("kind", string(h.Kind))
	to.integer("run", h.Run)
	instant(to, "created_at", h.CreatedAt)
	instant(to, "period_start", h.PeriodStart)
	instant(to, "period_end", h.PeriodEnd)
	to.integer("lines", int64(h.Lines))
	amountColumns(&h.Amounts, to)
	to.integer("late_events", h.LateEvents)
	lateColumn := func(name string, text func(*schemas.EventRef) string) {
		var b []byte
		for i := range h.Late {
			b = strconv.AppendQuote(b, text(&h.Late[i]))
		}
		to.text(name, string(b))
	}
	lateColumn("late_sources", func(r *schemas.EventRef) string { return r.Source })
	lateColumn("late_ids", func(r *schemas.EventRef) string { return r.ID })
	lateColumn("late_types", func(r *schemas.EventRef) string { return string(r.Type) })
	lateColumn("late_times", func(r *schemas.EventRef) string { return strconv.FormatInt(r.Time.UnixMilli(), 10) })
	lateColumn("late_topics", func(r *schemas.EventRef) string { return r.Position.Topic })
	lateColumn("late_partitions", func(r *schemas.EventRef) string { return strconv.Itoa(int(r.Position.Partition)) })
	lateColumn("late_offsets", func(r *schemas.EventRef) string { return strconv.FormatInt(r.Position.Offset, 10) })
}

func lineColumns(run int64, l *schemas.Line, to columnSink) {
	to.month("month", l.Month)
	to.text("account_id", l.AccountID)
	to.text("resource_id", l.ResourceID)
	instant(to, "period_start", l.PeriodStart)
	to.integer("position", int64(l.Position))
	to.integer("run", run)
	to.text("invoice_code", l.InvoiceCode)
	to.text("item", l.Item.Name)
	to.text("coupon_code", l.CouponCode)
	instant(to, "period_end", l.PeriodEnd)
	to.text("resource_name", l.ResourceName)
	to.text("product", l.Product)
	to.text("service", l.Service)
	to.text("unit", l.Item.Unit)
	to.exact("unit_price", l.Item.UnitPrice)
	to.exact("item_quantity", l.Item.Quantity)
	to.text("meter", string(l.Item.Meter))
	to.text("per", string(l.Item.Per))
	to.exact("discount_percent", l.Item.DiscountPercent)
	to.exact("tax_percent", l.Item.TaxPercent)
	to.exact("free_quantity", l.Item.FreeQuantity)
	to.integer("minutes", l.Minutes)
	to.exact("quantity", l.Quantity)
	amountColumns(&l.Amounts, to)
}
