package schemas

import (
	"slices"

	"github.com/shopspring/decimal"
)

// Per is the time that a unit price is for (contract 2).
type Per string

// The times that a unit price may be for. PerUse has no time factor and goes
// only with a meter.
const (
	Per30d Per = "30d"
	Per1d  Per = "1d"
	Per1h  Per = "1h"
	PerUse Per = "use"
)

// Minutes is the length of the price's own unit in minutes, 0 for PerUse.
func (p Per) Minutes() int64 {
	switch p {
	case Per30d:
		return 43_200
	case Per1d:
		return 1_440
	case Per1h:
		return 60
	case PerUse:
		return 0
	}
	return 0
}

// Meter says how the usage values in a period become its quantity (contract 2).
type Meter string

// The eight meters; NoMeter is an item with a fixed quantity.
const (
	NoMeter      Meter = ""
	Sum          Meter = "sum"
	Count        Meter = "count"
	Max          Meter = "max"
	Min          Meter = "min"
	Last         Meter = "last"
	Avg          Meter = "avg"
	Unique       Meter = "unique"
	TimeWeighted Meter = "time_weighted"
)

// Item is one priced part of a resource, its defaults filled in (contract 2).
type Item struct {
	// Name is unique in its list.
	Name string
	Unit string
	// UnitPrice is in the currency's major unit per Unit and Per.
	UnitPrice decimal.Decimal
	// Quantity is the fixed quantity; zero with a meter.
	Quantity decimal.Decimal
	Meter    Meter
	Per      Per
	// DiscountPercent and TaxPercent are 0 to 100.
	DiscountPercent, TaxPercent decimal.Decimal
	// FreeQuantity is taken off the metered quantity; only with a meter.
	FreeQuantity decimal.Decimal
}

// Equal tells whether two items are the same, numbers by value.
func (i *Item) Equal(o *Item) bool {
	return i.Name == o.Name && i.Unit == o.Unit && i.Meter == o.Meter && i.Per == o.Per &&
		i.UnitPrice.Equal(o.UnitPrice) && i.Quantity.Equal(o.Quantity) &&
		i.DiscountPercent.Equal(o.DiscountPercent) && i.TaxPercent.Equal(o.TaxPercent) &&
		i.FreeQuantity.Equal(o.FreeQuantity)
}

// EqualItems tells whether two configurations are equal: the same items in the
// same order (contract 3).
func EqualItems(a, b []Item) bool {
	if len(a) > 0 && len(a) == len(b) && &a[0] == &b[0] {
		return true // one list, as readers share what repeats
	}
	return slices.EqualFunc(a, b, func(x, y Item) bool { return x.Equal(&y) })
}
