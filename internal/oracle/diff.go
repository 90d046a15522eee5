package oracle

import (
	"fmt"
	"time"

	"github.com/reckon-billing/reckon/schemas"
)

// lineKey names a line: what stands in its place in both lists.
type lineKey struct {
	account, resource string
	month             schemas.Month
	start             int64
	position          int
}

func keyOf(l *schemas.Line) lineKey {
	return lineKey{l.AccountID, l.ResourceID, l.Month, l.PeriodStart.UnixMilli(), l.Position}
}

// Diff says, in one sentence each, where the lines that were made differ from
// those that must be: missing, not wanted, there twice, or with another value in
// a column. Order does not matter; numbers are compared by value. Nothing is
// said when they agree.
func Diff(want, got []schemas.Line) []string {
	var out []string
	wanted := make(map[lineKey]*schemas.Line, len(want))
	for i := range want {
		wanted[keyOf(&want[i])] = &want[i]
	}
	seen := make(map[lineKey]bool, len(got))
	for i := range got {
		g, key := &got[i], keyOf(&got[i])
		name := fmt.Sprintf("%s %s/%s %s #%d %s", g.Month, g.AccountID, g.ResourceID,
			g.PeriodStart.UTC().Format(time.RFC3339), g.Position, g.Item.Name)
		w := wanted[key]
		switch {
		case w == nil:
			out = append(out, name+": is not wanted")
		case seen[key]:
			out = append(out, name+": is there twice")
		default:
			out = append(out, columns(name, w, g)...)
		}
		seen[key] = true
	}
	for i := range want {
		if w := &want[i]; !seen[keyOf(w)] {
			out = append(out, fmt.Sprintf("%s %s/%s %s #%d %s: is missing", w.Month, w.AccountID, w.ResourceID,
				w.PeriodStart.UTC().Format(time.RFC3339), w.Position, w.Item.Name))
		}
	}
	return out
}

// columns compares two lines of one place, column by column.
func columns(name string, w, g *schemas.Line) []string {
	var out []string
	differ := func(column string, same bool, want, got any) {
		if !same {
			out = append(out, fmt.Sprintf("%s: %s is %v, must be %v", name, column, got, want))
		}
	}
	differ("invoice_code", w.InvoiceCode == g.InvoiceCode, w.InvoiceCode, g.InvoiceCode)
	differ("resource_name", w.ResourceName == g.ResourceName, w.ResourceName, g.ResourceName)
	differ("product_name", w.Product == g.Product, w.Product, g.Product)
	differ("service_name", w.Service == g.Service, w.Service, g.Service)
	differ("item", w.Item.Equal(&g.Item), w.Item, g.Item)
	differ("period_end", w.PeriodEnd.Equal(g.PeriodEnd), w.PeriodEnd, g.PeriodEnd)
	differ("minutes", w.Minutes == g.Minutes, w.Minutes, g.Minutes)
	differ("quantity", w.Quantity.Equal(g.Quantity), w.Quantity, g.Quantity)
	differ("before_tax", w.BeforeTax.Equal(g.BeforeTax), w.BeforeTax, g.BeforeTax)
	differ("tax_amount", w.TaxAmount.Equal(g.TaxAmount), w.TaxAmount, g.TaxAmount)
	differ("coupon_code", w.CouponCode == g.CouponCode, w.CouponCode, g.CouponCode)
	differ("coupon_value", w.CouponValue.Equal(g.CouponValue), w.CouponValue, g.CouponValue)
	differ("total_amount", w.TotalAmount.Equal(g.TotalAmount), w.TotalAmount, g.TotalAmount)
	return out
}
