package schemas

import (
	"crypto/sha256"
	"encoding/binary"
	"strconv"
	"time"

	"github.com/shopspring/decimal"
)

// Kind says what an invoice is for.
type Kind string

// The kinds of invoices: of a sealed month, its corrections, and the prepaid
// ones of contract 8.
const (
	KindInvoice    Kind = "invoice"
	KindAdjustment Kind = "adjustment"
	KindPaid       Kind = "paid"
)

// Amounts are the four amounts of a line or of an invoice, in the currency's
// major unit with at most its decimals (contract 4).
type Amounts struct {
	BeforeTax, TaxAmount, CouponValue, TotalAmount decimal.Decimal
}

// Gross is what the coupon is taken off: before tax plus tax.
func (a Amounts) Gross() decimal.Decimal { return a.BeforeTax.Add(a.TaxAmount) }

// Add is the sum of two amounts, field by field.
func (a Amounts) Add(o Amounts) Amounts {
	return Amounts{
		a.BeforeTax.Add(o.BeforeTax), a.TaxAmount.Add(o.TaxAmount),
		a.CouponValue.Add(o.CouponValue), a.TotalAmount.Add(o.TotalAmount),
	}
}

// Sub is the difference of two amounts, field by field.
func (a Amounts) Sub(o Amounts) Amounts {
	return Amounts{
		a.BeforeTax.Sub(o.BeforeTax), a.TaxAmount.Sub(o.TaxAmount),
		a.CouponValue.Sub(o.CouponValue), a.TotalAmount.Sub(o.TotalAmount),
	}
}

// Neg are the four amounts with the sign turned.
func (a Amounts) Neg() Amounts {
	return Amounts{a.BeforeTax.Neg(), a.TaxAmount.Neg(), a.CouponValue.Neg(), a.TotalAmount.Neg()}
}

// Equal tells whether all four amounts are the same.
func (a Amounts) Equal(o Amounts) bool { return a.Sub(o).IsZero() }

// IsZero tells whether all four amounts are zero.
func (a Amounts) IsZero() bool {
	return a.BeforeTax.IsZero() && a.TaxAmount.IsZero() && a.CouponValue.IsZero() && a.TotalAmount.IsZero()
}

// Line is one item in one reconciliation period, priced (contract 1, 4, 6).
type Line struct {
	InvoiceCode string
	// Number is the line's place in its document, from 1. It is 0 in what versions
	// wrote that numbered none: there a line stands once in a document at most.
	Number                         int
	AccountID, ResourceID          string
	ResourceName, Product, Service string
	Month                          Month
	// Run is the number of the run that issued it.
	Run int64
	// PeriodStart and PeriodEnd are UTC instants at whole minutes.
	PeriodStart, PeriodEnd time.Time
	// Position is the item's place in its configuration, from 0.
	Position int
	Item     Item
	Minutes  int64
	// Quantity is what the formula multiplies: after the allowance. A row that takes a
	// line back has it, and the amounts, with the sign turned.
	Quantity decimal.Decimal
	// CouponCode names the coupon that the period is under, also where it gave
	// nothing; empty for none.
	CouponCode string
	Amounts
}

// LineKey is what makes a line the same line, in an invoice and in its
// adjustments: with the account and the resource, these (contract 5, late events).
type LineKey struct {
	Month        Month
	Start        time.Time
	Item, Coupon string
}

// Key is the line's.
func (l *Line) Key() LineKey {
	return LineKey{l.Month, l.PeriodStart.UTC(), l.Item.Name, l.CouponCode}
}

// ReportRow is a row of the usage report (contract 6): a line with what its
// header knows.
type ReportRow struct {
	Line
	Kind Kind
	// CreatedAt is the header's, UTC.
	CreatedAt time.Time
	// Status is "Paid" or "Unpaid" (contract 5.6).
	Status string
}

// Invoice is the header over the lines of one resource in one reconciliation
// period of one month; an adjustment's is over those of one resource, corrected
// month and seal (contract 1).
type Invoice struct {
	Code                  string
	Kind                  Kind
	AccountID, ResourceID string
	Month                 Month
	// Run is the number of the sealing run that issued it.
	Run int64
	// CreatedAt is the instant at which the run noted its cutoff, UTC.
	CreatedAt time.Time
	// PeriodStart and PeriodEnd span the lines.
	PeriodStart, PeriodEnd time.Time
	// Lines counts them.
	Lines int
	Amounts
	// LateEvents counts the late events behind an adjustment; Late names the
	// first 100 of them.
	LateEvents int64
	Late       []EventRef
}

// InvoiceCode derives the code of a month's invoice (contract 5.3): the same
// period of the same month has the same code in every run.
func InvoiceCode(account, resource string, month Month, periodStart time.Time) string {
	return code(KindInvoice, account, resource, month, strconv.FormatInt(periodStart.UnixMilli(), 10))
}

// AdjustmentCode derives the code of what a run corrects of a sealed month.
func AdjustmentCode(account, resource string, month Month, run int64) string {
	return code(KindAdjustment, account, resource, month, strconv.FormatInt(run, 10))
}

// codeLetters of the digest stand in a code: 100 bits. Two of a billion invoices
// share a code with a chance below 1 in 10^12.
const codeLetters = 20

// letters cannot be misread for one another.
const letters = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

// code hashes its parts, each with its length before it so that no two lists
// of parts look alike, and writes five bits a letter.
func code(kind Kind, account, resource string, month Month, what string) string {
	var room [512]byte
	text := room[:0]
	name := month.String()
	for _, part := range [...]string{string(kind), account, resource, name, what} {
		text = append(binary.BigEndian.AppendUint64(text, uint64(len(part))), part...)
	}
	digest := sha256.Sum256(text)
	text = append(append(append(room[:0], kind.prefix()...), name...), '-')
	var bits, n uint
	for i := 0; len(text) < len("INV-2026-10-")+codeLetters; {
		if n < 5 {
			bits, n, i = bits<<8|uint(digest[i]), n+8, i+1
		}
		n -= 5
		text = append(text, letters[bits>>n&31])
	}
	return string(text)
}

func (k Kind) prefix() string {
	switch k {
	case KindAdjustment:
		return "ADJ-"
	case KindPaid:
		return "PAY-"
	default:
		return "INV-"
	}
}
