package schemas

import "github.com/shopspring/decimal"

// Currency is the installation's currency: its ISO 4217 code and how many
// decimals its minor unit has (VND: 0).
type Currency struct {
	Code   string
	Digits int32
}

// Whole tells whether an amount is in whole minor units.
func (c Currency) Whole(amount decimal.Decimal) bool {
	return amount.Equal(amount.Truncate(c.Digits))
}

// Format writes an amount with the currency's decimals, without the code.
func (c Currency) Format(amount decimal.Decimal) string { return amount.StringFixed(c.Digits) }
