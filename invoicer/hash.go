package invoicer

import (
	"bytes"
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

// Hash is a SHA-256.
type Hash [sha256.Size]byte

// InvoiceHash is the digest of one invoice, stored beside its header.
type InvoiceHash struct {
	Month                 schemas.Month
	AccountID, ResourceID string
	Code                  string
	Run                   int64
	Hash                  Hash
}

// Column is one stored column of a header or a line, its value in canonical
// text: numbers without trailing zeros, times in Unix milliseconds.
type Column struct{ Name, Text string }

// HashInvoice is the SHA-256 of an invoice: its header, then its lines in order
// (period start, position, item, coupon), of each every stored column as
// HeaderColumns and LineColumns list them. Before each text stands its length,
// and before the lines their number, so that no two invoices look alike.
func HashInvoice(h *schemas.Invoice, lines []schemas.Line) Hash {
	d := digest{buffer: make([]byte, 0, 512*(1+len(lines)))}
	headerColumns(h, &d)
	d.integer("lines", int64(len(lines)))
	for _, i := range lineOrder(lines) {
		lineColumns(h.Run, &lines[i], &d)
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

func lineOrder(lines []schemas.Line) []int {
	order := make([]int, len(lines))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int { return CompareLines(&lines[i], &lines[j]) })
	return order
}

// MonthHash gathers what one run issued for one month: code and hash of each
// invoice, in ascending order of the codes.
type MonthHash struct {
	hash     hash.Hash
	Invoices int64
}

// NewMonthHash is that of no invoice.
func NewMonthHash() *MonthHash { return &MonthHash{hash: sha256.New()} }

// Add adds an invoice.
func (m *MonthHash) Add(code string, h Hash) {
	m.Invoices++
	d := digest{}
	d.text("", code)
	m.hash.Write(d.buffer)
	m.hash.Write(h[:])
}

// Sum is the hash of all that was added.
func (m *MonthHash) Sum() Hash { return Hash(m.hash.Sum(nil)) }

// columnSink takes columns in order.
type columnSink interface {
	text(name, value string)
}

// digest writes the texts one after the other, each with its length before it.
type digest struct{ buffer []byte }

func (d *digest) text(_, value string) {
	d.buffer = binary.BigEndian.AppendUint64(d.buffer, uint64(len(value)))
	d.buffer = append(d.buffer, value...)
}

func (d *digest) integer(name string, n int64) { d.text(name, strconv.FormatInt(n, 10)) }

type listing []Column

func (l *listing) text(name, value string) { *l = append(*l, Column{name, value}) }

func number(to columnSink, name string, n int64) { to.text(name, strconv.FormatInt(n, 10)) }

func instant(to columnSink, name string, t time.Time) { number(to, name, t.UnixMilli()) }

func exact(to columnSink, name string, d decimal.Decimal) { to.text(name, schemas.FormatDecimal(d)) }

func amountColumns(a *schemas.Amounts, to columnSink) {
	exact(to, "before_tax", a.BeforeTax)
	exact(to, "tax_amount", a.TaxAmount)
	exact(to, "coupon_value", a.CouponValue)
	exact(to, "total_amount", a.TotalAmount)
}

func headerColumns(h *schemas.Invoice, to columnSink) {
	to.text("month", h.Month.String())
	to.text("account_id", h.AccountID)
	to.text("resource_id", h.ResourceID)
	to.text("code", h.Code)
	to.text("kind", string(h.Kind))
	number(to, "run", h.Run)
	instant(to, "created_at", h.CreatedAt)
	instant(to, "period_start", h.PeriodStart)
	instant(to, "period_end", h.PeriodEnd)
	number(to, "lines", int64(h.Lines))
	amountColumns(&h.Amounts, to)
	number(to, "late_events", h.LateEvents)
	lists := []struct {
		name string
		text func(*schemas.EventRef) string
	}{
		{"late_sources", func(r *schemas.EventRef) string { return r.Source }},
		{"late_ids", func(r *schemas.EventRef) string { return r.ID }},
		{"late_types", func(r *schemas.EventRef) string { return string(r.Type) }},
		{"late_times", func(r *schemas.EventRef) string { return strconv.FormatInt(r.Time.UnixMilli(), 10) }},
		{"late_topics", func(r *schemas.EventRef) string { return r.Position.Topic }},
		{"late_partitions", func(r *schemas.EventRef) string { return strconv.Itoa(int(r.Position.Partition)) }},
		{"late_offsets", func(r *schemas.EventRef) string { return strconv.FormatInt(r.Position.Offset, 10) }},
	}
	for _, list := range lists {
		var b bytes.Buffer
		for i := range h.Late {
			b.WriteString(strconv.Quote(list.text(&h.Late[i])))
		}
		to.text(list.name, b.String())
	}
}

func lineColumns(run int64, l *schemas.Line, to columnSink) {
	to.text("month", l.Month.String())
	to.text("account_id", l.AccountID)
	to.text("resource_id", l.ResourceID)
	instant(to, "period_start", l.PeriodStart)
	number(to, "position", int64(l.Position))
	number(to, "run", run)
	to.text("invoice_code", l.InvoiceCode)
	to.text("item", l.Item.Name)
	to.text("coupon_code", l.CouponCode)
	instant(to, "period_end", l.PeriodEnd)
	to.text("resource_name", l.ResourceName)
	to.text("product", l.Product)
	to.text("service", l.Service)
	to.text("unit", l.Item.Unit)
	exact(to, "unit_price", l.Item.UnitPrice)
	exact(to, "item_quantity", l.Item.Quantity)
	to.text("meter", string(l.Item.Meter))
	to.text("per", string(l.Item.Per))
	exact(to, "discount_percent", l.Item.DiscountPercent)
	exact(to, "tax_percent", l.Item.TaxPercent)
	exact(to, "free_quantity", l.Item.FreeQuantity)
	number(to, "minutes", l.Minutes)
	exact(to, "quantity", l.Quantity)
	amountColumns(&l.Amounts, to)
}
