package fold

import (
	"testing"

	"github.com/shopspring/decimal"
	"pgregory.net/rapid"
)

func TestUnitsAreTheValueExactly(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		number := func(what string) decimal.Decimal {
			return decimal.RequireFromString(rapid.StringMatching(`[0-9]{1,20}(\.[0-9]{1,9})?`).Draw(t, what))
		}
		a, b, n := number("a"), number("b"), rapid.Int64Range(0, 1<<31).Draw(t, "n")
		x, okX := UnitsOf(a)
		y, okY := UnitsOf(b)
		if !okX || !okY || !x.Decimal().Equal(a) || x.compare(y) != a.Cmp(b) || (x == y) != a.Equal(b) ||
			!x.plus(y).Decimal().Equal(a.Add(b)) || !x.times(uint64(n)).Decimal().Equal(a.Mul(decimal.NewFromInt(n))) {
			t.Fatalf("%s and %s: %v and %v", a, b, x, y)
		}
	})
	for _, wrong := range []string{"-1", "0.0000000001", "1e30"} {
		if u, ok := UnitsOf(decimal.RequireFromString(wrong)); ok {
			t.Errorf("%s: %v", wrong, u)
		}
	}
	most := Units{High: 1 << 63}
	if most.plus(most) != tooMany || most.times(2) != tooMany || tooMany.plus(Units{Low: 1}) != tooMany || tooMany.Decimal().LessThan(maxQuantity) {
		t.Error("what does not fit is not too much")
	}
}
