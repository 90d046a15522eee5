package rating

import (
	"github.com/shopspring/decimal"

	"github.com/reckon-billing/reckon/schemas"
)

// Price is the formula (contract 4): what an item costs that was in force for so
// many minutes, before any coupon.
//
//	exact     = minutes × unit price × billed quantity × (100 − discount) / (100 × minutes of the price's unit)
//	exact tax = exact × tax / 100
//
// The gross and the tax are each rounded once and before_tax is their difference,
// so that the parts always add up to what is paid. A price per use has no time
// factor.
func Price(item schemas.PeriodItem, minutes int64, currency schemas.Currency) schemas.Amounts {
	gross, tax, ok := quick(&item, minutes, currency)
	if !ok {
		gross, tax = exact(&item, minutes, currency)
	}
	return schemas.Amounts{BeforeTax: gross.Sub(tax), TaxAmount: tax, TotalAmount: gross}
}

// exact is the formula for numbers of any size: all factors are multiplied
// first and divided once.
func exact(item *schemas.PeriodItem, minutes int64, currency schemas.Currency) (gross, tax decimal.Decimal) {
	hundred := decimal.NewFromInt(100)
	num := item.UnitPrice.Mul(item.Billed).Mul(hundred.Sub(item.DiscountPercent))
	den := decimal.NewFromInt(100 * 100)
	if per := item.Per.Minutes(); per > 0 {
		num = num.Mul(decimal.NewFromInt(minutes))
		den = decimal.NewFromInt(100 * 100 * per)
	}
	gross = Round(num.Mul(hundred.Add(item.TaxPercent)), den, currency)
	tax = Round(num.Mul(item.TaxPercent), den, currency)
	return gross, tax
}
