package rating

import (
	"math/big"
	"slices"
	"testing"

	"github.com/shopspring/decimal"
	"pgregory.net/rapid"

	"github.com/reckon-billing/reckon/schemas"
)

func decs(texts ...string) []decimal.Decimal {
	list := make([]decimal.Decimal, len(texts))
	for i, text := range texts {
		list[i] = dec(text)
	}
	return list
}

func sameDecimals(a, b []decimal.Decimal) bool {
	return slices.EqualFunc(a, b, decimal.Decimal.Equal)
}

func TestAllotGivesTheLargestRemaindersFirst(t *testing.T) {
	for _, c := range []struct {
		name     string
		total    string
		weights  []decimal.Decimal
		currency schemas.Currency
		expected []decimal.Decimal
	}{
		{"WD10: 100,000 over three equal lines", "100000", decs("165000", "165000", "165000"), vnd(), decs("33334", "33333", "33333")},
		{"WF11: 150,000 over two to one", "150000", decs("1000000", "500000"), vnd(), decs("100000", "50000")},
		{"WF1: 20,000 over 18 to 7", "20000", decs("180000", "70000"), vnd(), decs("14400", "5600")},
		{"the largest remainder is not the first", "10", decs("11", "14", "75"), vnd(), decs("1", "1", "8")},
		{"two units left over go to two remainders", "10", decs("26", "27", "47"), vnd(), decs("2", "3", "5")},
		{"ties go in order", "2", decs("1", "1", "1", "1"), vnd(), decs("1", "1", "0", "0")},
		{"one unit over three goes to the first", "1", decs("5", "5", "5"), vnd(), decs("1", "0", "0")},
		{"a weight of zero gets nothing", "3", decs("0", "2", "2"), vnd(), decs("0", "2", "1")},
		{"more than the weights gives the weights", "1000000", decs("165000", "0", "7"), vnd(), decs("165000", "0", "7")},
		{"all of the weights", "8", decs("5", "3"), vnd(), decs("5", "3")},
		{"one below all", "7", decs("5", "3"), vnd(), decs("4", "3")},
		{"nothing to give", "0", decs("5", "3"), vnd(), decs("0", "0")},
		{"less than nothing gives nothing", "-1", decs("5", "3"), vnd(), decs("0", "0")},
		{"weights of zero", "10", decs("0", "0"), vnd(), decs("0", "0")},
		{"no weights", "10", nil, vnd(), nil},
		{"cents", "1.00", decs("0.50", "0.50", "0.50"), usd(), decs("0.34", "0.33", "0.33")},
		{"10^15 and a bit", "1000000000000001", decs("1000000000000000", "1000000000000000"), vnd(), decs("500000000000001", "500000000000000")},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := Allot(dec(c.total), c.weights, c.currency); !sameDecimals(got, c.expected) {
				t.Errorf("parts are %s, want %s", got, c.expected)
			}
		})
	}
}

// naiveAllot gives the units out one by one, each to the weight that is the
// furthest below its exact share.
func naiveAllot(total int64, weights []int64) []int64 {
	parts := make([]int64, len(weights))
	var whole int64
	for _, w := range weights {
		whole += w
	}
	total = min(total, whole)
	if total <= 0 {
		return parts
	}
	behind := make([]*big.Rat, len(weights))
	given := int64(0)
	for i, w := range weights {
		share := new(big.Rat).Mul(big.NewRat(total, whole), new(big.Rat).SetInt64(w))
		parts[i] = new(big.Int).Quo(share.Num(), share.Denom()).Int64()
		behind[i] = share.Sub(share, new(big.Rat).SetInt64(parts[i]))
		given += parts[i]
	}
	for ; given < total; given++ {
		next := 0
		for i := range behind {
			if behind[i].Cmp(behind[next]) > 0 {
				next = i
			}
		}
		parts[next]++
		behind[next].Sub(behind[next], new(big.Rat).SetInt64(1))
	}
	return parts
}

func drawWeights(t *rapid.T) []int64 {
	return rapid.SliceOfN(rapid.OneOf(rapid.Int64Range(0, 5), rapid.Int64Range(0, 1_000_000_000_000_000)), 1, 40).Draw(t, "weights")
}

func drawTotal(t *rapid.T, weights []int64) int64 {
	var whole int64
	for _, w := range weights {
		whole += w
	}
	return rapid.OneOf(rapid.Int64Range(-1, whole+2), rapid.Int64Range(-1, 100)).Draw(t, "total")
}

func amounts(units []int64, currency schemas.Currency) []decimal.Decimal {
	list := make([]decimal.Decimal, len(units))
	for i, n := range units {
		list[i] = decimal.New(n, -currency.Digits)
	}
	return list
}

func TestAllotIsTheNaiveOneAndAddsUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		weights, currency := drawWeights(t), drawCurrency(t)
		total := drawTotal(t, weights)
		given := amounts(weights, currency)
		got := Allot(decimal.New(total, -currency.Digits), given, currency)
		if want := amounts(naiveAllot(total, weights), currency); !sameDecimals(got, want) {
			t.Fatalf("parts are %s, want %s", got, want)
		}
		whole := decimal.Sum(decimal.Zero, given...)
		want := decimal.Max(decimal.Zero, decimal.Min(decimal.New(total, -currency.Digits), whole))
		if sum := decimal.Sum(decimal.Zero, got...); !sum.Equal(want) {
			t.Fatalf("parts add up to %s, want %s", sum, want)
		}
		for i, part := range got {
			if part.IsNegative() || part.GreaterThan(given[i]) || !currency.Whole(part) {
				t.Fatalf("part %d is %s of %s", i, part, given[i])
			}
		}
	})
}

func TestManyTiesGoInOrder(t *testing.T) {
	weights := make([]int64, 60)
	for i := range weights {
		weights[i] = int64(i % 4)
	}
	for total := range int64(91) { // the weights add up to 90
		got := Allot(decimal.NewFromInt(total), amounts(weights, vnd()), vnd())
		if want := amounts(naiveAllot(total, weights), vnd()); !sameDecimals(got, want) {
			t.Errorf("of %d the parts are %s, want %s", total, got, want)
		}
	}
}

// In what order the lines stand decides ties, and nothing else.
func TestTheOrderOfWeightsDecidesOnlyTies(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		weights := drawWeights(t)
		total := drawTotal(t, weights)
		order := make([]int, len(weights))
		for i := range order {
			order[i] = i
		}
		order = rapid.Permutation(order).Draw(t, "order")
		shuffled := make([]int64, len(weights))
		for to, from := range order {
			shuffled[to] = weights[from]
		}
		got := Allot(decimal.NewFromInt(total), amounts(weights, vnd()), vnd())
		moved := Allot(decimal.NewFromInt(total), amounts(shuffled, vnd()), vnd())
		most := int64(0)
		if tied(total, weights) {
			most = 1
		}
		for to, from := range order {
			if got[from].Sub(moved[to]).Abs().GreaterThan(decimal.NewFromInt(most)) {
				t.Fatalf("weight %d got %s and, in another order, %s", weights[from], got[from], moved[to])
			}
		}
	})
}

// tied tells whether two weights leave the same remainder.
func tied(total int64, weights []int64) bool {
	var whole int64
	for _, w := range weights {
		whole += w
	}
	seen := make(map[string]bool)
	for _, w := range weights {
		if whole == 0 || total <= 0 {
			return false
		}
		product := new(big.Int).Mul(big.NewInt(min(total, whole)), big.NewInt(w))
		remainder := product.Rem(product, big.NewInt(whole)).String()
		if seen[remainder] {
			return true
		}
		seen[remainder] = true
	}
	return false
}
