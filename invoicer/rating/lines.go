package rating

import (
	"github.com/shopspring/decimal"

	"github.com/reckon-billing/reckon/schemas"
)

// Rater makes the lines of one resource's periods and keeps count of what they
// use of its coupon balances. What was used is derived from the periods each
// time, never stored and debited, so pricing twice uses nothing twice.
//
// It is for one goroutine; the zero value with a currency is ready for use.
type Rater struct {
	Currency schemas.Currency

	used map[balanceID]decimal.Decimal
}

// balanceID is the identity of the event that brought the coupon.
type balanceID struct{ source, id string }

// Lines prices one period: a line an item, in item order, but none for the
// fixed quantities of a prepaid period, which were paid before (contract 3).
// Periods must come oldest first, as balances are used up in that order.
func (r *Rater) Lines(p *schemas.Period) []schemas.Line {
	lines := price(p, r.Currency)
	if len(lines) == 0 || p.Balance == nil || p.Mode == schemas.Prepaid {
		return lines
	}
	used := r.Used(p.Balance)
	taken := takeOff(p.Balance, used, lines, r.Currency)
	if r.used == nil {
		r.used = make(map[balanceID]decimal.Decimal)
	}
	r.used[balanceID{p.Balance.Source, p.Balance.ID}] = used.Add(taken)
	return lines
}

// Used is what has been used of a balance: by the lines made so far and by those
// of earlier months that the balance came with.
func (r *Rater) Used(b *schemas.CouponBalance) decimal.Decimal {
	if used, ok := r.used[balanceID{b.Source, b.ID}]; ok {
		return used
	}
	return b.Used
}

// Total is the sum of rounded lines: the amounts of their invoice (contract 4).
func Total(lines []schemas.Line) schemas.Amounts {
	if len(lines) == 0 {
		return schemas.Amounts{}
	}
	total := lines[0].Amounts // most invoices have one line
	for i := range lines[1:] {
		total = total.Add(lines[1+i].Amounts)
	}
	return total
}

// price makes the lines of a period without its coupon.
func price(p *schemas.Period, currency schemas.Currency) []schemas.Line {
	lines := make([]schemas.Line, 0, len(p.Items))
	minutes := p.Minutes()
	var code string
	for i := range p.Items {
		item := &p.Items[i]
		if excluded(p, item) {
			continue
		}
		if code == "" {
			code = schemas.InvoiceCode(p.AccountID, p.ResourceID, p.Month, p.Start)
		}
		lines = append(lines, schemas.Line{
			InvoiceCode: code,
			AccountID:   p.AccountID, ResourceID: p.ResourceID,
			ResourceName: p.ResourceName, Product: p.Product, Service: p.Service,
			Month: p.Month, PeriodStart: p.Start, PeriodEnd: p.End,
			Position: i, Item: item.Item, Minutes: minutes, Quantity: item.Billed,
			Amounts: Price(*item, minutes, currency),
		})
	}
	return lines
}

// excluded tells whether the item has no month-end line: a fixed quantity of a
// prepaid resource (contract 3).
func excluded(p *schemas.Period, item *schemas.PeriodItem) bool {
	return p.Mode == schemas.Prepaid && item.Meter == schemas.NoMeter
}

// takeOff takes what is left of the balance off the lines of one period, after
// tax and in proportion to gross, and returns how much that was. Every line names
// the coupon, also where it gave nothing (contract 4 and 6).
func takeOff(b *schemas.CouponBalance, used decimal.Decimal, lines []schemas.Line, currency schemas.Currency) decimal.Decimal {
	grosses := make([]decimal.Decimal, len(lines))
	for i := range lines {
		grosses[i] = lines[i].Gross()
	}
	taken := decimal.Zero
	for i, share := range Allot(b.Value.Sub(used), grosses, currency) {
		line := &lines[i]
		line.CouponCode = b.Code
		line.CouponValue = share
		line.TotalAmount = grosses[i].Sub(share)
		taken = taken.Add(share)
	}
	return taken
}
