package oracle

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/reckon-billing/reckon/schemas"
)

// sumKey is what makes a line the same line, whichever invoice it is on
// (contract 5, late events).
type sumKey struct {
	account, resource string
	month             schemas.Month
	start             int64
	item, coupon      string
}

func (k sumKey) compare(o sumKey) int {
	return cmp.Or(k.month.Compare(o.month), strings.Compare(k.account, o.account), strings.Compare(k.resource, o.resource),
		cmp.Compare(k.start, o.start), strings.Compare(k.item, o.item), strings.Compare(k.coupon, o.coupon))
}

func sumKeyOf(l *schemas.Line) sumKey {
	return sumKey{l.AccountID, l.ResourceID, l.Month, l.PeriodStart.UnixMilli(), l.Item.Name, l.CouponCode}
}

// sum is what the rows of a line come to.
type sum struct {
	quantity decimal.Decimal
	schemas.Amounts
}

func (s sum) String() string { return fmt.Sprintf("%v for a quantity of %s", s.Amounts, s.quantity) }

func sums(lines []schemas.Line) map[sumKey]sum {
	out := make(map[sumKey]sum, len(lines))
	for i := range lines {
		k := sumKeyOf(&lines[i])
		out[k] = sum{out[k].quantity.Add(lines[i].Quantity), out[k].Add(lines[i].Amounts)}
	}
	return out
}

// DiffSums says, in one sentence each, where the lines of all invoices and
// adjustments together, got, do not come to what must be, want: the law of
// contract 5 for all four amounts, and for the quantity. Nothing is said when they
// agree.
func DiffSums(want, got []schemas.Line) []string {
	w, g := sums(want), sums(got)
	keys := make([]sumKey, 0, len(w))
	for k := range w {
		keys = append(keys, k)
	}
	for k := range g {
		if _, there := w[k]; !there {
			keys = append(keys, k)
		}
	}
	slices.SortFunc(keys, sumKey.compare)
	var out []string
	for _, k := range keys {
		if !w[k].Equal(g[k].Amounts) || !w[k].quantity.Equal(g[k].quantity) {
			out = append(out, fmt.Sprintf("%s %s/%s %s %s: invoiced %s, must be %s", k.month, k.account, k.resource,
				time.UnixMilli(k.start).UTC().Format(time.RFC3339), k.item, g[k], w[k]))
		}
	}
	return out
}

// DiffPrices says, in one sentence each, which rows are not the formula of contract 4:
// of their minutes, price and quantity, and where the quantity is below 0 with the sign
// turned. The coupon's share lies between 0 and gross. Nothing is said when all are.
func DiffPrices(rows []schemas.Line, currency schemas.Currency) []string {
	var out []string
	for i := range rows {
		l := &rows[i]
		if l.Quantity.IsNegative() {
			back := turned(*l)
			l = &back
		}
		gross, tax := price(l.Minutes, &l.Item, rat(l.Quantity), currency.Digits)
		share := dec(gross, currency.Digits).Sub(l.TotalAmount)
		if !l.BeforeTax.Add(l.TaxAmount).Equal(dec(gross, currency.Digits)) || !l.TaxAmount.Equal(dec(tax, currency.Digits)) ||
			!l.CouponValue.Equal(share) || share.IsNegative() || l.TotalAmount.IsNegative() || l.Minutes < 1 {
			out = append(out, fmt.Sprintf("%s, row %d: %d minutes × %s × %s are %v, must be %s with %s tax", rows[i].InvoiceCode, rows[i].Number,
				rows[i].Minutes, rows[i].Item.UnitPrice, rows[i].Quantity, rows[i].Amounts, dec(gross, currency.Digits), dec(tax, currency.Digits)))
		}
	}
	return out
}
