package rating

import (
	"testing"

	"github.com/shopspring/decimal"

	"github.com/reckon-billing/reckon/schemas"
)

func BenchmarkPrice(b *testing.B) {
	small := schemas.PeriodItem{
		Item: schemas.Item{
			UnitPrice: decimal.RequireFromString("165000"), Per: schemas.Per30d,
			DiscountPercent: decimal.RequireFromString("15"), TaxPercent: decimal.RequireFromString("8"),
		},
		Billed: decimal.RequireFromString("3"),
	}
	large := small
	large.UnitPrice = decimal.RequireFromString("12345678901234567890.123456789")
	large.Billed = decimal.RequireFromString("98765.432109876")
	stored := small
	stored.UnitPrice = decimal.RequireFromString("165000.000000000")
	stored.Billed = decimal.RequireFromString("3.000000000")
	for name, item := range map[string]schemas.PeriodItem{"small": small, "large": large, "nine_decimals": stored} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				Price(item, 12_345, schemas.Currency{Code: "VND"})
			}
		})
	}
}
